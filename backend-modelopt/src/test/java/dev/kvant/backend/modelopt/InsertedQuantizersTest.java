package dev.kvant.backend.modelopt;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import dev.kvant.backend.modelopt.ModelOptOptions.Version;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.ScriptRewriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InsertedQuantizersTest {

  @ParameterizedTest
  @ValueSource(strings = {"mixed.pt", "mixed_traced.pt", "tied.pt", "tied_traced.pt"})
  void they_are_those_of_modelopt_for_a_model_scripted_or_traced(String model) throws IOException {
    assertThat(of(TestModels.model(model), Version.V0_47))
        .containsExactlyInAnyOrderElementsOf(golden(model.replace("_traced", "")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"resnet_traced.pt", "transformer_traced.pt"})
  void they_are_those_of_modelopt_for_a_trained_classifier(String model) throws IOException {
    assertThat(of(TestModels.digits(model), Version.V0_47))
        .containsExactlyInAnyOrderElementsOf(golden(model));
  }

  @Test
  void they_are_those_of_modelopt_for_modules_of_every_kind() throws IOException {
    assertThat(of(TestModels.golden("kinds.pt"), Version.V0_47))
        .containsExactlyInAnyOrderElementsOf(golden("kinds.pt"));
  }

  @Test
  void attention_has_some_where_the_root_is_a_class_of_transformers() throws IOException {
    assertThat(of(TestModels.golden("bert.pt"), Version.V0_47))
        .containsExactlyInAnyOrderElementsOf(golden("bert.pt"))
        .contains("encoder.layer.0.attention.self.p_bmm_quantizer");
  }

  @Test
  void an_older_modelopt_has_none_for_embeddings_and_layer_norms() {
    List<String> newer = of(TestModels.golden("bert.pt"), Version.V0_47);

    assertThat(of(TestModels.golden("bert.pt"), Version.V0_33))
        .isNotEmpty()
        .allSatisfy(name -> assertThat(name).doesNotContain("LayerNorm", "embeddings", "bmm"))
        .isSubsetOf(newer);
  }

  private static List<String> of(Path file, Version version) {
    List<String> names = new ArrayList<>();
    try (ScriptModel model = TestModels.script(file)) {
      var archive = new ScriptRewriter(model);
      var shared = SharedModules.of(archive.tree(), archive.code(), model.tensors());
      InsertedQuantizers.of(archive.tree(), shared, version)
          .forEach(
              (module, quantizers) ->
                  quantizers.forEach(
                      name ->
                          names.add(module.name().isEmpty() ? name : module.name() + "." + name)));
    }
    return names;
  }

  private static List<String> golden(String model) throws IOException {
    List<String> names = new ArrayList<>();
    for (JsonElement name :
        JsonParser.parseString(Files.readString(TestModels.golden("quantizers.json")))
            .getAsJsonObject()
            .getAsJsonArray(model)) {
      names.add(name.getAsString());
    }
    return names;
  }
}
