package dev.kvant.runtime;

import dev.kvant.api.ConfigurationProblem;
import java.util.Comparator;
import java.util.List;

/**
 * The order of a configuration's fields, so that problems found by different hands stand beside
 * each other when they are about one place.
 */
final class FieldOrder implements Comparator<String> {

  static final Comparator<ConfigurationProblem> OF_PROBLEMS =
      Comparator.comparing(ConfigurationProblem::path, new FieldOrder());

  private static final List<String> FIELDS =
      List.of(
          "quantize",
          "backend",
          "mode",
          "algorithm",
          "default_layer_dtype",
          "default_activation_dtype",
          "layers",
          "skip_names",
          "module_classes",
          "model_path",
          "results_dir",
          "backend_kwargs",
          "calibration",
          "evaluation",
          "verify",
          "strict",
          "device",
          "module_name",
          "weights",
          "activations",
          "dtype",
          "quant_axis",
          "granularity",
          "observer_or_fake_quant",
          "observer_or_fake_quant_kwargs");

  private FieldOrder() {}

  /** A field before what is inside of it, positions by number, unknown fields last. */
  @Override
  public int compare(String path, String other) {
    String[] parts = path.split("[.\\[\\]]+", -1);
    String[] otherParts = other.split("[.\\[\\]]+", -1);
    for (int i = 0; i < Math.min(parts.length, otherParts.length); i++) {
      int order = Integer.compare(rank(parts[i]), rank(otherParts[i]));
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(parts.length, otherParts.length);
  }

  private static int rank(String part) {
    if (part.isEmpty()) {
      // What follows a closing bracket at the end: the field itself, before what is inside of it.
      return -1;
    }
    if (part.matches("\\d{1,9}")) {
      return Integer.parseInt(part);
    }
    int field = FIELDS.indexOf(part);
    return field < 0 ? FIELDS.size() : field;
  }
}
