package dev.kvant.torch.tensor;

import dev.kvant.api.ElementType;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleValue;
import java.util.Arrays;
import java.util.Optional;

/** The names that PyTorch gives to element types and to the storages of such elements. */
final class TorchTypes {

  static final PickleGlobal UNTYPED_STORAGE = new PickleGlobal("torch.storage", "UntypedStorage");

  private TorchTypes() {}

  /** The class of a storage for libtorch, as in {@code torch.FloatStorage}. */
  static PickleGlobal scriptStorage(ElementType type) {
    return global(
        switch (type) {
          case FLOAT64 -> "DoubleStorage";
          case FLOAT32 -> "FloatStorage";
          case FLOAT16 -> "HalfStorage";
          case BFLOAT16 -> "BFloat16Storage";
          case FLOAT8_E4M3FN -> "Float8_e4m3fnStorage";
          case FLOAT8_E5M2 -> "Float8_e5m2Storage";
          case INT64 -> "LongStorage";
          case INT32 -> "IntStorage";
          case INT16 -> "ShortStorage";
          case INT8 -> "CharStorage";
          case UINT64 -> "UInt64Storage";
          case UINT32 -> "UInt32Storage";
          case UINT16 -> "UInt16Storage";
          case UINT8 -> "ByteStorage";
          case BOOL -> "BoolStorage";
        });
  }

  /** The class of a storage for Python, which has none for the newer types. */
  static Optional<PickleGlobal> pythonStorage(ElementType type) {
    return switch (type) {
      case FLOAT8_E4M3FN, FLOAT8_E5M2, UINT64, UINT32, UINT16 -> Optional.empty();
      case FLOAT64, FLOAT32, FLOAT16, BFLOAT16, INT64, INT32, INT16, INT8, UINT8, BOOL ->
          Optional.of(scriptStorage(type));
    };
  }

  /** The element type of a typed storage; empty for other classes. */
  static Optional<ElementType> ofStorage(PickleGlobal storage) {
    return Arrays.stream(ElementType.values())
        .filter(type -> storage.equals(scriptStorage(type)))
        .findFirst();
  }

  /** The dtype, as in {@code torch.float8_e4m3fn}. */
  static PickleGlobal dtype(ElementType type) {
    return global(type.label());
  }

  /** The element type of a dtype; empty for values that are none, or one that is not known. */
  static Optional<ElementType> ofDtype(PickleValue dtype) {
    return Arrays.stream(ElementType.values())
        .filter(type -> dtype.equals(dtype(type)))
        .findFirst();
  }

  private static PickleGlobal global(String name) {
    return new PickleGlobal("torch", name);
  }
}
