package dev.kvant.backend.onnx.plan;

import dev.kvant.onnx.graph.DataType;
import java.util.Objects;

/**
 * A tensor that is to be quantized, as it is named in the cleaned graph.
 *
 * @param place where its graph is, see {@link dev.kvant.onnx.graph.Graph#place}
 * @param name its name there
 * @param type the type of its elements
 * @param setting how it is quantized
 * @since 0.1.0
 */
public record Activation(String place, String name, DataType type, ActivationSetting setting) {

  public Activation {
    Objects.requireNonNull(place, "place");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(setting, "setting");
  }

  /** Its name among what calibration observes: the same however it is quantized. */
  public String tensor() {
    return place.isEmpty() ? name : place + "::" + name;
  }
}
