package dev.kvant.backend.onnx;

import dev.kvant.backend.onnx.graph.DataType;
import java.util.Objects;

/**
 * A tensor that is to be quantized, as it is named in the cleaned graph.
 *
 * @param place where its graph is, see {@link dev.kvant.backend.onnx.graph.Graph#place}
 * @param name its name there
 * @param type the type of its elements
 * @param setting how it is quantized
 */
record Activation(String place, String name, DataType type, ActivationSetting setting) {

  Activation {
    Objects.requireNonNull(place, "place");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(setting, "setting");
  }
}
