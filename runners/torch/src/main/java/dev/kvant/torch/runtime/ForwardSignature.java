package dev.kvant.torch.runtime;

import dev.kvant.api.CalibrationException;
import dev.kvant.api.InputDescription;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.script.ForwardParameters;
import dev.kvant.torch.script.ScriptClass;
import dev.kvant.torch.script.ScriptParameter;
import dev.kvant.torch.script.ScriptTree;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a model's {@code forward} takes. Only tensors can be fed; parameters of other types are left
 * at their defaults.
 *
 * @param parameters the parameters, in order
 */
record ForwardSignature(List<ScriptParameter> parameters) {

  ForwardSignature {
    parameters = List.copyOf(parameters);
  }

  /**
   * Reads it from the code of an archive.
   *
   * @throws ModelFormatException if the archive is no TorchScript, or its model needs an input that
   *     is no tensor
   */
  static ForwardSignature read(TorchArchive archive) {
    ScriptClass root = ScriptTree.read(archive).modules().get(0).type();
    List<ScriptParameter> parameters =
        ForwardParameters.read(archive, root)
            .orElseThrow(
                () ->
                    new ModelFormatException(
                        "%s: its class %s has no method '%s' that could be run"
                            .formatted(
                                archive.path(), root.simpleName(), ForwardParameters.METHOD)));
    parameters.stream()
        .filter(parameter -> !parameter.optional() && !parameter.isTensor())
        .findFirst()
        .ifPresent(
            parameter -> {
              throw new ModelFormatException(
                  "%s: input '%s' is of type %s; only models that need nothing but tensors can run"
                      .formatted(archive.path(), parameter.name(), parameter.type()));
            });
    return new ForwardSignature(parameters);
  }

  /** The inputs, in order; an archive declares neither their types nor their shapes. */
  List<InputDescription> inputs() {
    return parameters.stream()
        .filter(ScriptParameter::isTensor)
        .map(parameter -> new InputDescription(parameter.name(), null, null, parameter.optional()))
        .toList();
  }

  private List<String> names() {
    return inputs().stream().map(InputDescription::name).toList();
  }

  /** The names of the inputs that have no default, in order. */
  private List<String> required() {
    return parameters.stream()
        .filter(parameter -> !parameter.optional())
        .map(ScriptParameter::name)
        .toList();
  }

  /**
   * Puts the tensors of a batch in the order of the parameters.
   *
   * @return the tensors to call with, by parameter; those left out are at the end of the parameters
   *     and not here
   * @throws CalibrationException if an input is missing, unknown, or cannot be given because an
   *     optional one before it is not
   */
  Map<String, Tensor> arrange(TensorBatch batch) {
    Map<String, Tensor> given = withoutAlias(batch.inputs());
    List<String> inputs = names();
    for (String name : given.keySet()) {
      if (!inputs.contains(name)) {
        throw new CalibrationException(
            "the data has '%s', which is no input of the model; its inputs are %s"
                .formatted(name, printed()));
      }
    }
    Map<String, Tensor> arranged = new LinkedHashMap<>();
    @Nullable String leftOut = null;
    for (ScriptParameter parameter : parameters) {
      @Nullable Tensor tensor = given.get(parameter.name());
      if (tensor == null) {
        if (!parameter.optional()) {
          throw new CalibrationException(
              "the data lacks the input '%s'; the model's inputs are %s"
                  .formatted(parameter.name(), printed()));
        }
        leftOut = leftOut == null ? parameter.name() : leftOut;
      } else if (leftOut != null) {
        throw new CalibrationException(
            "input '%s' can only be given together with '%s', which stands before it"
                .formatted(parameter.name(), leftOut));
      } else {
        arranged.put(parameter.name(), tensor);
      }
    }
    return arranged;
  }

  /** One tensor called {@code input} feeds the only input, or the only one that must be given. */
  private Map<String, Tensor> withoutAlias(Map<String, Tensor> given) {
    @Nullable Tensor sole = given.get(TensorBatch.SOLE_INPUT);
    if (sole == null || given.size() > 1 || names().contains(TensorBatch.SOLE_INPUT)) {
      return given;
    }
    List<String> required = required();
    List<String> candidates = required.isEmpty() ? names() : required;
    return candidates.size() == 1 ? Map.of(candidates.get(0), sole) : given;
  }

  private String printed() {
    return parameters.stream()
        .filter(ScriptParameter::isTensor)
        .map(
            parameter ->
                "'%s'%s".formatted(parameter.name(), parameter.optional() ? " (optional)" : ""))
        .collect(Collectors.joining(", "));
  }
}
