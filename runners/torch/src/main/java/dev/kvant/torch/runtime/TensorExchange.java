package dev.kvant.torch.runtime;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.ElementType;
import dev.kvant.api.KvantException;
import dev.kvant.api.Tensor;
import dev.kvant.torch.tensor.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Copies tensors into libtorch, and out of a model's outputs. */
final class TensorExchange {

  private static final String OUTPUT = "output";

  /** The types that DJL supports; another type ends the process. */
  private static final Map<ElementType, DataType> TYPES =
      Map.of(
          ElementType.FLOAT64, DataType.FLOAT64,
          ElementType.FLOAT32, DataType.FLOAT32,
          ElementType.FLOAT16, DataType.FLOAT16,
          ElementType.INT64, DataType.INT64,
          ElementType.INT32, DataType.INT32,
          ElementType.INT8, DataType.INT8,
          ElementType.UINT8, DataType.UINT8,
          ElementType.BOOL, DataType.BOOLEAN);

  private final BFloat16Bridge bfloat16;

  TensorExchange(PtNDManager manager) {
    this.bfloat16 = new BFloat16Bridge(manager);
  }

  /**
   * A copy of a tensor for a model's input.
   *
   * @throws CalibrationException if its type is not supported
   */
  IValue toValue(String name, Tensor tensor, PtNDManager scope) {
    if (tensor.elementType().equals(ElementType.BFLOAT16)) {
      try (IValue wide = IValue.from(toArray(bfloat16.widened(tensor), DataType.FLOAT32, scope))) {
        return bfloat16.narrow(wide);
      }
    }
    if (!TYPES.containsKey(tensor.elementType())) {
      throw new CalibrationException(
          "input '%s' is of type %s, which cannot be passed to libtorch; convert it to one of %s"
              .formatted(
                  name,
                  tensor.elementType(),
                  TYPES.keySet().stream()
                      .sorted(Comparator.comparing(ElementType::label))
                      .toList()));
    }
    return IValue.from(toArray(tensor, TYPES.get(tensor.elementType()), scope));
  }

  /** Whether tensors of a type can be {@link #read}. */
  static boolean takes(ElementType type) {
    return TYPES.containsKey(type);
  }

  /** Reads a tensor of a file into memory of libtorch. */
  static PtNDArray read(StoredTensor tensor, PtNDManager scope) {
    long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
    PtNDArray array = scope.create(new Shape(shape), TYPES.get(tensor.elementType()));
    tensor.read(0, array.toByteBuffer(true));
    return array;
  }

  private static PtNDArray toArray(Tensor tensor, DataType type, PtNDManager scope) {
    ByteBuffer data = tensor.data();
    ByteBuffer direct =
        ByteBuffer.allocateDirect(data.remaining()).order(ByteOrder.nativeOrder()).put(data).flip();
    long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
    return scope.create(direct, new Shape(shape), type);
  }

  /**
   * Copies of all tensors in a model's outputs, by name: {@code output}, {@code output1} and so on
   * in the order of tuples and lists, and the keys of dicts in alphabetical order, because DJL does
   * not provide another order.
   */
  Map<String, Tensor> toTensors(IValue answer, PtNDManager scope) {
    Map<String, Tensor> outputs = new LinkedHashMap<>();
    new Flattening(scope, outputs).add(OUTPUT, answer);
    return outputs;
  }

  private final class Flattening {

    private final PtNDManager scope;
    private final Map<String, Tensor> outputs;
    private final Map<String, Integer> used = new LinkedHashMap<>();

    Flattening(PtNDManager scope, Map<String, Tensor> outputs) {
      this.scope = scope;
      this.outputs = outputs;
    }

    void add(String name, IValue value) {
      if (value.isTensor()) {
        outputs.put(next(name), toTensor(name, value, scope));
      } else if (value.isTuple()) {
        addAll(name, value.toIValueTuple());
      } else if (value.isTensorList() || value.isList()) {
        addAll(name, value.toIValueArray());
      } else if (value.isMap()) {
        addMap(name, value);
      } else if (value.getType().equals("NoneType")) {
        next(name);
      } else {
        throw new KvantException(
            "output '%s' is of type %s; only tensors can be read".formatted(name, value.getType()));
      }
    }

    private void addAll(String name, IValue[] values) {
      try {
        Arrays.stream(values).forEach(value -> add(name, value));
      } finally {
        Arrays.stream(values).forEach(IValue::close);
      }
    }

    private void addMap(String name, IValue map) {
      Map<String, IValue> entries = new TreeMap<>(map.toIValueMap());
      try {
        entries.forEach((key, value) -> add(name.equals(OUTPUT) ? key : name + "." + key, value));
      } finally {
        entries.values().forEach(IValue::close);
      }
    }

    /** None counts as a position, so that names stay the same. */
    private String next(String name) {
      int position = used.merge(name, 1, Integer::sum) - 1;
      return position == 0 ? name : name + position;
    }
  }

  private Tensor toTensor(String name, IValue value, PtNDManager scope) {
    PtNDArray array = value.toTensor(scope);
    return copy(array).orElseGet(() -> bfloat16.read(name, value, shape(array), scope));
  }

  /** A copy of an array; empty if its type is not supported. */
  static Optional<Tensor> copy(NDArray array) {
    for (Map.Entry<ElementType, DataType> type : TYPES.entrySet()) {
      if (type.getValue() == array.getDataType()) {
        return Optional.of(Tensor.of(type.getKey(), shape(array), array.toByteBuffer(false)));
      }
    }
    return Optional.empty();
  }

  private static List<Long> shape(NDArray array) {
    return Arrays.stream(array.getShape().getShape()).boxed().toList();
  }
}
