package dev.kvant.onnx.graph;

import dev.kvant.api.ModelFormatException;
import dev.kvant.api.TensorDescription;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Opens constant inputs of nodes as tensors of a module. Operators that keep the order of the
 * elements are passed over, and so is one transposition. What other operators compute is described
 * but cannot be read.
 */
final class ConstantTensors {

  /** The elements of a value that operators compute. */
  private record Computed(String value, long bytes) implements Content {

    @Override
    public ByteBuffer read(long from, int length) {
      throw new ModelFormatException(
          "the tensor '%s' is computed by operators and not stored, so it cannot be read"
              .formatted(value));
    }
  }

  /**
   * The stored bytes behind a value.
   *
   * @param tensor the constant
   * @param transpose the node that transposes it, or null
   */
  private record Source(StoredTensor tensor, @Nullable Node transpose) {}

  private ConstantTensors() {}

  /**
   * The tensor that an input of a node reads.
   *
   * @param local its name within the module
   * @param value describes it
   */
  static ModuleTensor open(Graph graph, String input, String local, ConstantValue value) {
    var description =
        new TensorDescription(
            local, value.type().elementType().orElseThrow(), value.dims(), value.storage());
    return source(graph, input)
        .filter(source -> source.tensor().type() == value.type())
        .map(
            source ->
                new ModuleTensor(
                    description,
                    source.tensor().content(),
                    source.transpose() == null
                        ? rowMajor(value.dims())
                        : transposed(value.dims(), source.transpose())))
        .orElseGet(
            () ->
                new ModuleTensor(
                    description, new Computed(input, description.bytes()), rowMajor(value.dims())));
  }

  private static Optional<Source> source(Graph graph, String input) {
    Graph at = graph;
    String name = input;
    boolean isReshaped = false;
    Node transpose = null;
    while (true) {
      Optional<StoredTensor> stored = at.constant(name).flatMap(Initializer::tensor);
      if (stored.isPresent()) {
        return Optional.of(new Source(stored.get(), transpose));
      }
      Graph home = at.home(name);
      Node producer = home == null ? null : home.producer(name);
      if (home == null || producer == null || !producer.domain().isEmpty()) {
        return Optional.empty();
      }
      switch (producer.opType()) {
        case "Identity", "DequantizeLinear", "QuantizeLinear" -> {}
        case "Reshape", "Flatten", "Squeeze", "Unsqueeze" -> isReshaped = true;
        case "Transpose" -> {
          // What is transposed and then reshaped has no strides in the constant.
          if (isReshaped || transpose != null) {
            return Optional.empty();
          }
          transpose = producer;
        }
        default -> {
          return Optional.empty();
        }
      }
      at = home;
      name = producer.input(0);
    }
  }

  private static List<Long> rowMajor(List<Long> dims) {
    List<Long> strides = new ArrayList<>(dims);
    long stride = 1;
    for (int i = dims.size() - 1; i >= 0; i--) {
      strides.set(i, stride);
      stride *= dims.get(i);
    }
    return strides;
  }

  /** The strides of a transposed tensor of those dimensions in what is transposed. */
  private static List<Long> transposed(List<Long> dims, Node transpose) {
    List<Long> order = transpose.intsAttribute("perm");
    List<Long> before = new ArrayList<>(dims);
    for (int i = 0; i < dims.size(); i++) {
      before.set(axis(order, dims.size(), i), dims.get(i));
    }
    List<Long> strides = rowMajor(before);
    List<Long> result = new ArrayList<>(Collections.nCopies(dims.size(), 1L));
    for (int i = 0; i < dims.size(); i++) {
      result.set(i, strides.get(axis(order, dims.size(), i)));
    }
    return result;
  }

  /** Which axis of its input a transposition makes an axis of its output of. */
  private static int axis(List<Long> order, int rank, int output) {
    return order.isEmpty() ? rank - 1 - output : Math.toIntExact(order.get(output));
  }
}
