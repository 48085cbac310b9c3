package dev.kvant.backend.torchao;

import java.util.List;
import java.util.Optional;

/** The kinds of modules whose weights can be kept in 8 bits. */
enum ModuleKind {
  /** {@code [out, in]}, a scale per output. */
  LINEAR(2, 2, 0),

  /**
   * A Linear that its parent, {@code MultiheadAttention}, reads the weight of instead of calling
   * it.
   */
  ATTENTION_OUTPUT(2, 2, 0),

  /** {@code [entries, width]}, a scale per entry. */
  EMBEDDING(2, 2, 0),

  /** {@code [out, in / groups, …]}, a scale per output channel. */
  CONVOLUTION(3, 5, 0),

  /** {@code [in, out / groups, …]}, a scale per output channel. */
  TRANSPOSED_CONVOLUTION(3, 5, 1);

  private final int minDimensions;
  private final int maxDimensions;
  private final int channelAxis;

  ModuleKind(int minDimensions, int maxDimensions, int channelAxis) {
    this.minDimensions = minDimensions;
    this.maxDimensions = maxDimensions;
    this.channelAxis = channelAxis;
  }

  /** The kind of a module, by the first of its class names that tells. */
  static Optional<ModuleKind> of(List<String> types) {
    return types.stream().flatMap(type -> of(type).stream()).findFirst();
  }

  private static Optional<ModuleKind> of(String type) {
    return Optional.ofNullable(
        switch (type) {
          case "Linear" -> LINEAR;
          case "NonDynamicallyQuantizableLinear", "_LinearWithBias" -> ATTENTION_OUTPUT;
          case "Embedding" -> EMBEDDING;
          case "Conv1d", "Conv2d", "Conv3d" -> CONVOLUTION;
          case "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d" -> TRANSPOSED_CONVOLUTION;
          default -> null;
        });
  }

  /** Whether its weight has that many dimensions. */
  boolean hasDimensions(int dimensions) {
    return dimensions >= minDimensions && dimensions <= maxDimensions;
  }

  /** The dimension of the weight along which scales differ. */
  int channelAxis() {
    return channelAxis;
  }

  /** Whether Python runs it with a weight of torchao's. */
  boolean runsInTorchao() {
    return this == LINEAR || this == EMBEDDING;
  }
}
