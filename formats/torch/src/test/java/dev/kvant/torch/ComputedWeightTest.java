package dev.kvant.torch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.ModuleDescription;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComputedWeightTest {

  @ParameterizedTest
  @CsvSource({
    "weight_norm.pt, first, weight_norm, remove_weight_norm(module)",
    "spectral_norm.pt, first, spectral_norm, remove_spectral_norm(module)",
    "pruned.pt, first, pruning, prune.remove",
    "parametrized.pt, first, a parametrization, remove_parametrizations",
    "parametrized.pt, second.first, a parametrization, remove_parametrizations",
    "parametrized.pt, first.parametrizations.weight, a parametrization, remove_parametrizations",
    "convolution_norm.pt, (root), weight_norm, remove_weight_norm(module)",
    "parametrized.pth, parametrizations.weight, a parametrization, remove_parametrizations",
  })
  void a_module_that_computes_its_weight_is_told_with_what_to_do(
      String file, String module, String by, String remedy) {
    try (TorchModel model = TestModels.open("kinds/" + file)) {
      assertThat(ComputedWeight.reason(named(model, module)).orElseThrow())
          .startsWith(
              "its weight is computed by " + by + " each time it runs; call torch.nn.utils.")
          .contains(remedy);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "weight_norm.pt, second",
    "bias_norm.pt, first",
    "parametrized.pt, second.second",
    "linear.pt, (root)",
  })
  void a_module_that_holds_its_weight_is_not(String file, String module) {
    try (TorchModel model = TestModels.open("kinds/" + file)) {
      assertThat(ComputedWeight.reason(named(model, module))).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"first, ParametrizedLinear", "second.first, ParametrizedLinear"})
  void a_parametrized_class_answers_to_the_name_of_its_own_class(String module, String type) {
    try (TorchModel model = TestModels.open("kinds/parametrized.pt")) {
      assertThat(named(model, module).types()).containsExactly(type, "Linear");
    }
  }

  private static ModuleDescription named(TorchModel model, String name) {
    return model.modules().stream()
        .filter(module -> module.name().equals(name))
        .findFirst()
        .orElseThrow();
  }
}
