package dev.kvant.torch.tensor;

import dev.kvant.api.ElementType;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleValue;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** PyTorch's names of element types and of their storages. */
final class TorchTypes {

  static final PickleGlobal UNTYPED_STORAGE = new PickleGlobal("torch.storage", "UntypedStorage");

  private static final Map<ElementType, PickleGlobal> SCRIPT_STORAGES =
      Map.ofEntries(
          entry(ElementType.FLOAT64, "DoubleStorage"),
          entry(ElementType.FLOAT32, "FloatStorage"),
          entry(ElementType.FLOAT16, "HalfStorage"),
          entry(ElementType.BFLOAT16, "BFloat16Storage"),
          entry(ElementType.FLOAT8_E4M3FN, "Float8_e4m3fnStorage"),
          entry(ElementType.FLOAT8_E5M2, "Float8_e5m2Storage"),
          entry(ElementType.INT64, "LongStorage"),
          entry(ElementType.INT32, "IntStorage"),
          entry(ElementType.INT16, "ShortStorage"),
          entry(ElementType.INT8, "CharStorage"),
          entry(ElementType.UINT64, "UInt64Storage"),
          entry(ElementType.UINT32, "UInt32Storage"),
          entry(ElementType.UINT16, "UInt16Storage"),
          entry(ElementType.UINT8, "ByteStorage"),
          entry(ElementType.BOOL, "BoolStorage"));

  private static final Set<ElementType> WITHOUT_PYTHON_STORAGE =
      Set.of(
          ElementType.FLOAT8_E4M3FN,
          ElementType.FLOAT8_E5M2,
          ElementType.UINT64,
          ElementType.UINT32,
          ElementType.UINT16);

  private TorchTypes() {}

  private static Map.Entry<ElementType, PickleGlobal> entry(ElementType type, String storage) {
    return Map.entry(type, global(storage));
  }

  static boolean isKnown(ElementType type) {
    return SCRIPT_STORAGES.containsKey(type);
  }

  /**
   * The class of a storage for libtorch, as in {@code torch.FloatStorage}.
   *
   * @throws IllegalArgumentException if PyTorch has no such type
   */
  static PickleGlobal scriptStorage(ElementType type) {
    PickleGlobal storage = SCRIPT_STORAGES.get(type);
    if (storage == null) {
      throw new IllegalArgumentException("PyTorch has no storage of type " + type);
    }
    return storage;
  }

  /** The class of a storage in Python, which has none for newer types. */
  static Optional<PickleGlobal> pythonStorage(ElementType type) {
    return WITHOUT_PYTHON_STORAGE.contains(type)
        ? Optional.empty()
        : Optional.of(scriptStorage(type));
  }

  /** The element type of a typed storage; empty for other classes. */
  static Optional<ElementType> ofStorage(PickleGlobal storage) {
    return SCRIPT_STORAGES.entrySet().stream()
        .filter(type -> storage.equals(type.getValue()))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /** The dtype, as in {@code torch.float8_e4m3fn}. */
  static PickleGlobal dtype(ElementType type) {
    return global(type.label());
  }

  /** The element type of a dtype; empty for other values and for unsupported dtypes. */
  static Optional<ElementType> ofDtype(PickleValue dtype) {
    return SCRIPT_STORAGES.keySet().stream().filter(type -> dtype.equals(dtype(type))).findFirst();
  }

  private static PickleGlobal global(String name) {
    return new PickleGlobal("torch", name);
  }
}
