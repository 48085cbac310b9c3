package dev.kvant.onnx.runtime;

import dev.kvant.api.CalibrationException;
import dev.kvant.api.ElementType;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a model wants to be fed with.
 *
 * @param inputs the inputs by name, in order
 */
record InputContract(Map<String, Input> inputs) {

  /**
   * One input.
   *
   * @param type the type of its elements
   * @param shape its dimensions; negative where any will do
   */
  record Input(ElementType type, List<Long> shape) {

    String printed() {
      return type
          + shape.stream()
              .map(dimension -> dimension < 0 ? "any" : dimension.toString())
              .collect(Collectors.joining(", ", "[", "]"));
    }
  }

  InputContract {
    inputs = new LinkedHashMap<>(inputs);
  }

  /**
   * Checks a batch.
   *
   * @return the batch's tensors under the names of the inputs
   * @throws CalibrationException if an input is missing, unknown, of another type or of a shape
   *     that does not fit
   */
  Map<String, Tensor> check(TensorBatch batch) {
    Map<String, Tensor> given = batch.inputs();
    if (inputs.size() == 1
        && given.size() == 1
        && given.containsKey(TensorBatch.SOLE_INPUT)
        && !inputs.containsKey(TensorBatch.SOLE_INPUT)) {
      String only = inputs.keySet().iterator().next();
      given = Map.of(only, given.get(TensorBatch.SOLE_INPUT));
    }
    for (String name : given.keySet()) {
      if (!inputs.containsKey(name)) {
        throw new CalibrationException(
            "the data has '%s', which is no input of the model; its inputs are %s"
                .formatted(name, printed()));
      }
    }
    Map<String, Tensor> checked = new LinkedHashMap<>();
    for (Map.Entry<String, Input> entry : inputs.entrySet()) {
      Tensor tensor = given.get(entry.getKey());
      if (tensor == null) {
        throw new CalibrationException(
            "the data lacks the input '%s'; the model's inputs are %s"
                .formatted(entry.getKey(), printed()));
      }
      check(entry.getKey(), entry.getValue(), tensor);
      checked.put(entry.getKey(), tensor);
    }
    return checked;
  }

  private static void check(String name, Input input, Tensor tensor) {
    if (!tensor.elementType().equals(input.type())) {
      throw new CalibrationException(
          "input '%s' is of type %s, the data has %s; convert it"
              .formatted(name, input.type(), tensor.elementType()));
    }
    boolean fits = tensor.shape().size() == input.shape().size();
    for (int axis = 0; fits && axis < input.shape().size(); axis++) {
      long wanted = input.shape().get(axis);
      fits = wanted < 0 || wanted == tensor.shape().get(axis);
    }
    if (!fits) {
      throw new CalibrationException(
          "input '%s' is %s, the data has the shape %s"
              .formatted(name, input.printed(), tensor.shape()));
    }
  }

  private String printed() {
    return inputs.entrySet().stream()
        .map(entry -> "'%s' %s".formatted(entry.getKey(), entry.getValue().printed()))
        .collect(Collectors.joining(", "));
  }
}
