package dev.kvant.runtime.data;

import dev.kvant.api.DataException;
import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Internal;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Converts tensors to the element types that a model declares, where that changes no value.
 *
 * @since 0.1.0
 */
@Internal
public final class InputTypes {

  private final List<InputDescription> inputs;
  private final Consumer<String> remarks;
  private final Set<String> remarked = new HashSet<>();

  /**
   * @param inputs the inputs of the model; empty if they are not known
   * @param remarks told of each tensor that is converted, once
   */
  public InputTypes(List<InputDescription> inputs, Consumer<String> remarks) {
    this.inputs = List.copyOf(inputs);
    this.remarks = remarks;
  }

  /**
   * A batch with the types of the inputs.
   *
   * @throws DataException if a value would change
   */
  public TensorBatch convert(TensorBatch batch) {
    InputNames names = new InputNames(inputs, batch.inputs().keySet());
    Map<String, Tensor> converted = new LinkedHashMap<>();
    batch
        .inputs()
        .forEach(
            (name, tensor) -> {
              InputDescription input = names.input(name);
              ElementType wanted = input == null ? null : input.elementType();
              converted.put(name, wanted == null ? tensor : convert(name, tensor, wanted));
            });
    return new TensorBatch(converted);
  }

  private Tensor convert(String name, Tensor tensor, ElementType wanted) {
    ElementType type = tensor.elementType();
    if (type.equals(wanted) || !ExactConversion.isPossible(type, wanted)) {
      return tensor;
    }
    ExactConversion.Result result = ExactConversion.convert(tensor, wanted);
    result
        .loss()
        .ifPresent(
            loss -> {
              throw new DataException(
                  ("'%s' is of type %s and the model's input of type %s, which has no %s (index %d of"
                          + " a batch); save the data as %s")
                      .formatted(name, type, wanted, loss.value(), loss.index(), wanted));
            });
    if (remarked.add(name)) {
      remarks.accept(
          "'%s' is converted from %s to %s, the type of the model's input; no value changes"
              .formatted(name, type, wanted));
    }
    return result.tensor().orElseThrow();
  }
}
