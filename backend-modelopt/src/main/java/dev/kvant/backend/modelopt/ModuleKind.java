package dev.kvant.backend.modelopt;

import java.util.List;
import java.util.Optional;

/** The classes of modules that are quantized. */
enum ModuleKind {
  LINEAR("Linear", 2),
  CONV1D("Conv1d", 3),
  CONV2D("Conv2d", 4),
  CONV3D("Conv3d", 5),
  CONV_TRANSPOSE1D("ConvTranspose1d", 3),
  CONV_TRANSPOSE2D("ConvTranspose2d", 4),
  CONV_TRANSPOSE3D("ConvTranspose3d", 5);

  private final String type;
  private final int dimensions;

  ModuleKind(String type, int dimensions) {
    this.type = type;
    this.dimensions = dimensions;
  }

  /** The kind of a module that answers to these class names. */
  static Optional<ModuleKind> of(List<String> types) {
    for (String type : types) {
      for (ModuleKind kind : values()) {
        if (kind.type.equals(type)) {
          return Optional.of(kind);
        }
      }
    }
    return Optional.empty();
  }

  /** How many dimensions a weight has. */
  int dimensions() {
    return dimensions;
  }

  /** The dimension of a weight that counts outputs. */
  int outputAxis() {
    return switch (this) {
      case LINEAR, CONV1D, CONV2D, CONV3D -> 0;
      case CONV_TRANSPOSE1D, CONV_TRANSPOSE2D, CONV_TRANSPOSE3D -> 1;
    };
  }

  /** Whether libtorch multiplies int8 inputs with int8 weights of such modules. */
  boolean hasIntegerKernel() {
    return switch (this) {
      case LINEAR, CONV1D, CONV2D, CONV3D -> true;
      case CONV_TRANSPOSE1D, CONV_TRANSPOSE2D, CONV_TRANSPOSE3D -> false;
    };
  }
}
