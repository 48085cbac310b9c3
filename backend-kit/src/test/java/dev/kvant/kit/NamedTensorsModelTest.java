package dev.kvant.kit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

@DisplayName("A model of named tensors")
@DisplayNameGeneration(ReplaceUnderscores.class)
class NamedTensorsModelTest {

  private static NamedTensorsModel model() {
    Map<String, ModelTensor> tensors = new LinkedHashMap<>();
    ModelTensor shared =
        InMemory.tensor("shared", ElementType.FLOAT32, List.of(2L, 2L), 1, 2, 3, 4);
    tensors.put("embed.weight", shared);
    tensors.put("encoder.fc.weight", shared);
    tensors.put("encoder.fc.bias", InMemory.tensor("bias", ElementType.FLOAT16, List.of(2L), 5, 6));
    tensors.put("scale", InMemory.tensor("scale", ElementType.FLOAT32, List.of(), 7));
    return InMemory.model(tensors);
  }

  @Test
  void derives_modules_from_the_names_with_parents_before_their_children() {
    assertThat(model().modules())
        .extracting(ModuleDescription::name)
        .containsExactly("embed", "encoder", "encoder.fc");
    assertThat(model().modules().get(2).tensors())
        .extracting("name")
        .containsExactly("weight", "bias");
  }

  @Test
  void has_a_root_if_a_name_has_no_module() {
    assertThat(model().root().orElseThrow().tensor("scale")).isPresent();
  }

  @Test
  void counts_tied_tensors_once() {
    assertThat(model().tensorBytes()).isEqualTo(4 * 4 + 2 * 2 + 4);
  }

  @Test
  void stands_for_safetensors() {
    assertThat(model().compatibleFormats()).containsExactly("test", "safetensors");
  }

  @Test
  void is_refused_without_tensors() {
    assertThatThrownBy(() -> InMemory.model(Map.of()))
        .isInstanceOf(ModelFormatException.class)
        .hasMessage("model.test has no tensors");
  }
}
