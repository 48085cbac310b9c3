package dev.kvant.torch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.ModuleDescription;
import dev.kvant.torch.script.ScriptTree;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A model that is itself one layer has that layer, under a name that rules can reach. */
class LayerAsModelTest {

  @ParameterizedTest
  @CsvSource({
    "linear.pt, Linear, false",
    "linear.pth, Linear, true",
    "convolution.pt, Conv1d, false",
    "convolution_norm.pt, Conv1d, false",
  })
  void the_root_is_the_one_module(String file, String type, boolean inferred) {
    try (TorchModel model = TestModels.open("kinds/" + file)) {
      ModuleDescription layer = model.modules().get(0);

      assertThat(model.modules()).hasSize(1);
      assertThat(layer.name()).isEqualTo("(root)");
      assertThat(layer.types()).containsExactly(type);
      assertThat(layer.typesInferred()).isEqualTo(inferred);
      assertThat(model.root()).isEmpty();
    }
  }

  @Test
  void its_tensors_have_the_names_that_the_file_gives_them() {
    try (TorchModel model = TestModels.open("kinds/linear.pt")) {
      assertThat(model.tensors()).containsOnlyKeys("weight", "bias");
      assertThat(model.tensor("(root)", "weight")).contains(model.tensors().get("weight"));
      ScriptTree tree = ((ScriptModel) model).readTree();
      assertThat(tree.module("(root)")).isEqualTo(tree.module("")).isPresent();
    }
  }

  @Test
  void tensors_of_no_layer_make_no_module() {
    try (TorchModel model = TestModels.open("types.safetensors")) {
      assertThat(model.root()).isPresent();
      assertThat(model.modules()).isEmpty();
    }
  }

  @Test
  void a_root_with_tensors_beside_other_layers_stays_apart() {
    try (TorchModel model = TestModels.open("places.pt")) {
      assertThat(model.root()).isPresent();
      assertThat(model.modules()).extracting(ModuleDescription::name).doesNotContain("(root)");
    }
  }
}
