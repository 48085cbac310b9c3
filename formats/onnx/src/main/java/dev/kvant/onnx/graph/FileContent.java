package dev.kvant.onnx.graph;

/** Bytes that others can read from where they are, since they stand in a file as they are. */
interface FileContent extends Content {

  /** Where they are. */
  ExternalData.Region region();
}
