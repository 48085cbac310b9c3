package dev.kvant.backend.compressedtensors.weights;

import java.util.Arrays;
import java.util.List;

/**
 * How tensors are named and which scales there are.
 *
 * @since 0.1.0
 */
public enum Layout {
  /** As compressed-tensors stores them. */
  COMPRESSED_TENSORS("compressed-tensors"),

  /** As ModelOpt's unified export stores them: for TensorRT-LLM, vLLM and SGLang. */
  MODELOPT("modelopt");

  private final String label;

  Layout(String label) {
    this.label = label;
  }

  /** The layout of that name in configurations. */
  public static Layout of(String label) {
    return Arrays.stream(values())
        .filter(layout -> layout.label.equals(label))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("label: '%s'".formatted(label)));
  }

  /** All names, the default first. */
  public static List<String> labels() {
    return Arrays.stream(values()).map(layout -> layout.label).toList();
  }

  /** Whether weights of that scheme are stored in this layout without calibration. */
  public boolean has(Scheme scheme) {
    return this == COMPRESSED_TENSORS
        || scheme.numbers() == Numbers.NVFP4
        || (scheme.format().equals("float-quantized") && scheme.rowsOfScale() == 1);
  }
}
