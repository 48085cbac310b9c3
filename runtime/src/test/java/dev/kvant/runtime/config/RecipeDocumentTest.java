package dev.kvant.runtime.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.Dtype;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.Recipe;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A recipe as a document")
class RecipeDocumentTest {

  private final CalibrationConfig data = CalibrationConfig.of(Path.of("texts.txt"));

  private final Recipe recipe =
      new Recipe(
          ModelQuantizationConfig.builder()
              .backend("stub")
              .mode(QuantizationMode.STATIC_PTQ)
              .layer("Linear", Dtype.INT8)
              .calibration(data)
              .build(),
          "It suits.",
          Map.of("mode", "because of the data"));

  @Test
  void reads_as_the_recipe_with_settings_of_the_data_and_keys_of_the_spec() {
    RecipeDocument made =
        RecipeDocument.of(recipe, List.of("tokenizer=tokenizer.json", "quantize.strict=false"));

    ModelQuantizationConfig config = made.document().bind(Set.of("tokenizer")).config();

    assertThat(made.overridden()).containsExactly("calibration.tokenizer", "strict");
    assertThat(config.strict()).isFalse();
    assertThat(config.layers()).isEqualTo(recipe.config().layers());
    assertThat(config.calibration())
        .isEqualTo(
            new CalibrationConfig(
                data.data().with("tokenizer", "tokenizer.json"), null, null, data.nonFinite()));
  }

  @Test
  void says_in_its_text_where_values_come_from() {
    RecipeDocument made = RecipeDocument.of(recipe, List.of("quantize.strict=false"));

    String text = made.text(made.document().bind().config(), "as given in the POM");

    assertThat(text)
        .startsWith("# It suits.\n")
        .contains("mode: static_ptq  # because of the data\n")
        .contains("strict: false  # as given in the POM\n");
  }

  @Test
  void refuses_a_setting_without_a_value() {
    assertThatThrownBy(() -> RecipeDocument.of(recipe, List.of("tokenizer")))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessageContaining("quantize.calibration.tokenizer");
  }
}
