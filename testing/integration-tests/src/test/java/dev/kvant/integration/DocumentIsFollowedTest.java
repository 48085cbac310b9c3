package dev.kvant.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.api.Artifact;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Verification;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.config.ConfigDocument;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** As properties of an application give it. */
@DisplayName("Kvant follows a document")
class DocumentIsFollowedTest {

  private static final Path DIGITS = Checkout.ROOT.resolve("examples/digits");

  @TempDir private Path folder;

  private Map<String, Object> document() {
    Map<String, Object> quantize = new LinkedHashMap<>();
    quantize.put("backend", "onnx");
    quantize.put("mode", "static_ptq");
    quantize.put("default_layer_dtype", "int8");
    quantize.put("default_activation_dtype", "int8");
    quantize.put("model_path", DIGITS.resolve("models/resnet.onnx").toString());
    quantize.put("results_dir", folder.resolve("results").toString());
    quantize.put(
        "calibration",
        Map.of("path", DIGITS.resolve("data/calibration.npz").toString(), "batch_size", 64));
    return quantize;
  }

  private static SavedModel quantize(Map<String, Object> quantize) {
    try (Kvant kvant = Kvant.create()) {
      return kvant.quantize(ConfigDocument.of(Map.of("quantize", quantize)));
    }
  }

  @Test
  void with_the_paths_of_model_data_and_results() {
    SavedModel saved = quantize(document());

    assertThat(saved.artifacts())
        .extracting(Artifact::path)
        .containsExactly(folder.resolve("results/quantized_model.onnx"))
        .allSatisfy(path -> assertThat(path).isRegularFile());
    assertThat(saved.report().modules())
        .allMatch(module -> module.decision().activations().isQuantized());
    assertThat(saved.verifications())
        .extracting(Verification::status)
        .containsOnly(Verification.Status.VERIFIED);
  }

  @Test
  void and_names_all_paths_that_it_lacks() {
    Map<String, Object> quantize = document();
    quantize.keySet().removeAll(List.of("model_path", "results_dir"));

    assertThatExceptionOfType(InvalidConfigurationException.class)
        .isThrownBy(() -> quantize(quantize))
        .satisfies(
            e ->
                assertThat(e.lines())
                    .containsExactly(
                        "quantize.model_path: is required; it names the model",
                        "quantize.results_dir: is required; it names the folder for the artifacts"));
  }

  @Test
  void and_refuses_data_that_it_lacks_and_an_evaluation_that_it_would_ignore() {
    Map<String, Object> dataless = document();
    dataless.remove("calibration");
    Map<String, Object> evaluated = document();
    evaluated.put("evaluation", Map.of("path", DIGITS.resolve("data/test.npz").toString()));

    assertThatExceptionOfType(InvalidConfigurationException.class)
        .isThrownBy(() -> quantize(dataless))
        .withMessageStartingWith("quantize.calibration.path: ");
    assertThatExceptionOfType(InvalidConfigurationException.class)
        .isThrownBy(() -> quantize(evaluated))
        .withMessageStartingWith("quantize.evaluation: is not followed here");
    assertThat(folder.resolve("results")).doesNotExist();
  }
}
