package dev.kvant.onnx.graph;

import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.onnx.proto.TensorShapeProto;
import dev.kvant.onnx.proto.TypeProto;
import dev.kvant.onnx.proto.ValueInfoProto;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The inputs that a graph declares, without those that have an initializer.
 *
 * @since 0.1.0
 */
public final class DeclaredInputs {

  private DeclaredInputs() {}

  /** In the order of the graph. */
  public static List<InputDescription> of(OnnxModel model) {
    Map<String, Initializer> initializers = model.graph().initializers();
    return model.graph().inputs().stream()
        .filter(input -> !initializers.containsKey(input.getName()))
        .map(DeclaredInputs::describe)
        .toList();
  }

  private static InputDescription describe(ValueInfoProto input) {
    TypeProto.Tensor tensor = input.getType().getTensorType();
    @Nullable ElementType type =
        DataType.of(tensor.getElemType()).flatMap(DataType::elementType).orElse(null);
    if (!tensor.hasShape()) {
      return new InputDescription(input.getName(), type, null, false);
    }
    List<Long> shape = new ArrayList<>();
    for (TensorShapeProto.Dimension dimension : tensor.getShape().getDimList()) {
      shape.add(dimension.hasDimValue() ? dimension.getDimValue() : InputDescription.FREE);
    }
    return new InputDescription(input.getName(), type, shape, false);
  }
}
