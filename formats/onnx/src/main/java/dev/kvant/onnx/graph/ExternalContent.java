package dev.kvant.onnx.graph;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Bytes in a file beside the model, read when they are asked for. */
record ExternalContent(ExternalData files, ExternalData.Region region) implements FileContent {

  @Override
  public long bytes() {
    return region.length();
  }

  @Override
  public ByteBuffer read(long from, int length) {
    return files.read(region, from, length).order(ByteOrder.LITTLE_ENDIAN);
  }
}
