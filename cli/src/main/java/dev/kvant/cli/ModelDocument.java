package dev.kvant.cli;

import dev.kvant.api.QuantizableModel;
import dev.kvant.cli.output.JsonDocument;

/** A model file for programs. */
final class ModelDocument {

  private ModelDocument() {}

  /** Where it is, what it is, and how much it holds. */
  static JsonDocument of(QuantizableModel model) {
    return new JsonDocument()
        .put("path", model.source())
        .put("format", model.format())
        .put("tensor_bytes", model.tensorBytes());
  }
}
