package dev.kvant.backend.torchao;

import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.QuantizedType;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The dtypes that weights are quantized to. */
enum WeightType {
  INT8(ElementType.INT8, QuantizedType.INT8),
  FP8_E4M3FN(ElementType.FLOAT8_E4M3FN, QuantizedType.FLOAT8_E4M3FN),
  FP8_E5M2(ElementType.FLOAT8_E5M2, QuantizedType.FLOAT8_E5M2);

  @SuppressWarnings("ImmutableEnumChecker") // A record of a text and numbers.
  private final ElementType elementType;

  private final QuantizedType codes;

  WeightType(ElementType elementType, QuantizedType codes) {
    this.elementType = elementType;
    this.codes = codes;
  }

  /** All dtypes, in the order to show them. */
  static List<Dtype> dtypes() {
    return Arrays.stream(values()).map(WeightType::dtype).toList();
  }

  /** The type of that dtype; empty for native. */
  static Optional<WeightType> of(Dtype dtype) {
    return Arrays.stream(values()).filter(type -> type.dtype().equals(dtype)).findFirst();
  }

  private Dtype dtype() {
    return switch (this) {
      case INT8 -> Dtype.INT8;
      case FP8_E4M3FN -> Dtype.FP8_E4M3FN;
      case FP8_E5M2 -> Dtype.FP8_E5M2;
    };
  }

  /** What a trained weight's elements are to the arithmetic; empty for those it does not take. */
  static Optional<FloatType> source(ElementType elementType) {
    return FloatType.find(elementType.label());
  }

  /** The type of the codes' elements in a file. */
  ElementType elementType() {
    return elementType;
  }

  /** The type of the codes to the arithmetic. */
  QuantizedType codes() {
    return codes;
  }
}
