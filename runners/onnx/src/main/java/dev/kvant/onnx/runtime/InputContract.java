package dev.kvant.onnx.runtime;

import dev.kvant.api.CalibrationException;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The inputs of a model, which batches must fit.
 *
 * @param inputs the inputs in order, with types and shapes
 */
record InputContract(List<InputDescription> inputs) {

  InputContract {
    inputs = List.copyOf(inputs);
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
        && !has(TensorBatch.SOLE_INPUT)) {
      given = Map.of(inputs.get(0).name(), given.get(TensorBatch.SOLE_INPUT));
    }
    for (String name : given.keySet()) {
      if (!has(name)) {
        throw new CalibrationException(
            "the data has '%s', which is no input of the model; its inputs are %s"
                .formatted(name, printed()));
      }
    }
    Map<String, Tensor> checked = new LinkedHashMap<>();
    for (InputDescription input : inputs) {
      Tensor tensor = given.get(input.name());
      if (tensor == null) {
        throw new CalibrationException(
            "the data lacks the input '%s'; the model's inputs are %s"
                .formatted(input.name(), printed()));
      }
      check(input, tensor);
      checked.put(input.name(), tensor);
    }
    return checked;
  }

  private boolean has(String name) {
    return inputs.stream().anyMatch(input -> input.name().equals(name));
  }

  private static void check(InputDescription input, Tensor tensor) {
    if (!tensor.elementType().equals(input.elementType())) {
      throw new CalibrationException(
          "input '%s' is of type %s, the data has %s; convert it"
              .formatted(input.name(), input.elementType(), tensor.elementType()));
    }
    if (!input.fits(tensor.shape())) {
      throw new CalibrationException(
          "input '%s' is %s, the data has the shape %s"
              .formatted(input.name(), input.printed(), tensor.shape()));
    }
  }

  private String printed() {
    return inputs.stream()
        .map(input -> "'%s' %s".formatted(input.name(), input.printed()))
        .collect(Collectors.joining(", "));
  }
}
