package dev.kvant.torch.tensor;

import dev.kvant.api.ElementType;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleValue;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** The names that PyTorch gives to element types and to the storages of such elements. */
final class TorchTypes {

  static final PickleGlobal UNTYPED_STORAGE = new PickleGlobal("torch.storage", "UntypedStorage");

  /** Types that older versions know; the others are described as bytes with a dtype beside. */
  private static final Map<ElementType, String> STORAGES =
      new EnumMap<>(
          Map.of(
              ElementType.FLOAT64, "DoubleStorage",
              ElementType.FLOAT32, "FloatStorage",
              ElementType.FLOAT16, "HalfStorage",
              ElementType.BFLOAT16, "BFloat16Storage",
              ElementType.INT64, "LongStorage",
              ElementType.INT32, "IntStorage",
              ElementType.INT16, "ShortStorage",
              ElementType.INT8, "CharStorage",
              ElementType.UINT8, "ByteStorage",
              ElementType.BOOL, "BoolStorage"));

  private TorchTypes() {}

  /** The class of a typed storage, as in {@code torch.FloatStorage}, if there is one. */
  static Optional<PickleGlobal> storage(ElementType type) {
    return Optional.ofNullable(STORAGES.get(type)).map(name -> new PickleGlobal("torch", name));
  }

  /** The element type of a typed storage; empty for other classes. */
  static Optional<ElementType> ofStorage(PickleGlobal storage) {
    return STORAGES.entrySet().stream()
        .filter(entry -> storage.is("torch", entry.getValue()))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /** The dtype, as in {@code torch.float8_e4m3fn}. */
  static PickleGlobal dtype(ElementType type) {
    return new PickleGlobal("torch", type.label());
  }

  /** The element type of a dtype; empty for values that are none, or one that is not known. */
  static Optional<ElementType> ofDtype(PickleValue dtype) {
    return Arrays.stream(ElementType.values())
        .filter(type -> dtype.equals(dtype(type)))
        .findFirst();
  }
}
