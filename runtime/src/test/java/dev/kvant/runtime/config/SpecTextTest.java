package dev.kvant.runtime.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.ActivationQuantizationConfig;
import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.DataConfig;
import dev.kvant.api.Device;
import dev.kvant.api.Dtype;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.EvaluationGates;
import dev.kvant.api.Granularity;
import dev.kvant.api.LabelKind;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.NonFiniteValues;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.Recipe;
import dev.kvant.api.VerificationConfig;
import dev.kvant.api.WeightQuantizationConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("A written recipe")
class SpecTextTest {

  private static final Set<String> SETTINGS = Set.of("images", "tokenizer", "column");

  private static ModelQuantizationConfig.Builder config() {
    return ModelQuantizationConfig.builder()
        .backend("onnx")
        .mode(QuantizationMode.STATIC_PTQ)
        .defaultLayerDtype(Dtype.INT8);
  }

  private static String written(ModelQuantizationConfig config) {
    return ConfigDocument.write(new Recipe(config, "It fits.", Map.of()));
  }

  private static ModelQuantizationConfig read(String text) {
    BoundConfig bound = ConfigDocument.parse(text).bind(SETTINGS);
    assertThat(bound.problems()).isEmpty();
    return bound.config();
  }

  @Test
  void has_a_comment_on_each_line_and_no_defaults() {
    String text =
        ConfigDocument.write(
            new Recipe(
                config()
                    .modelPath(Path.of("model.onnx"))
                    .resultsDir(Path.of("out"))
                    .backendKwarg("optimize", "balanced")
                    .calibration(CalibrationConfig.of(Path.of("a b.npz")))
                    .build(),
                "This is a network of such a kind that one line does not hold all that there is to say of it.",
                Map.of(
                    "mode",
                    "fastest",
                    "backend_kwargs.optimize",
                    "a reason that is so very long that it does not fit behind the value of its key")));

    assertThat(text)
        .isEqualTo(
            """
            # This is a network of such a kind that one line does not hold all that there is to say of it.
            quantize:
              backend: onnx  # the installed backend that quantizes; see kvant backends
              mode: static_ptq  # fastest
              model_path: model.onnx  # the trained model
              results_dir: out  # the folder for the artifacts
              default_layer_dtype: int8  # weights of all modules that can have it
              backend_kwargs:  # options of the backend
                # a reason that is so very long that it does not fit behind the value of its key
                optimize: balanced
              calibration:  # data on which activations are observed
                path: a b.npz  # NumPy arrays, images or texts, as the model gets them in use
            """);
  }

  @Test
  void wraps_its_reason_between_words() {
    String text = ConfigDocument.write(new Recipe(config().build(), "word ".repeat(30), Map.of()));

    assertThat(text.lines().takeWhile(line -> line.startsWith("#")))
        .hasSize(2)
        .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(100));
  }

  @Test
  void reads_as_the_configuration_that_it_was_made_of() {
    ModelQuantizationConfig config =
        config()
            .algorithm(CalibrationAlgorithm.MSE)
            .defaultActivationDtype(Dtype.FP8_E5M2)
            .layer("Linear", Dtype.INT8, Dtype.NATIVE)
            .layer(
                new LayerQuantizationConfig(
                    "encoder.[[]0]*",
                    new WeightQuantizationConfig(
                        Dtype.INT8,
                        null,
                        Granularity.group(32),
                        "percentile",
                        Map.of("percentile", 99.9)),
                    new ActivationQuantizationConfig(Dtype.INT8, -1, null, null, Map.of())))
            .skip("*.head")
            .skip("a, b")
            .moduleClass("emb: *", "Embedding")
            .modelPath(Path.of("/data/my model.onnx"))
            .resultsDir(Path.of("results"))
            .backendKwarg("flag", true)
            .backendKwarg("count", 12)
            .backendKwarg("ratio", 1.5e-7)
            .backendKwarg("huge", 2.0e30)
            .backendKwarg("names", List.of("a", "1", "true"))
            .backendKwarg("nested", Map.of("x", List.of(1, 2)))
            .calibration(
                new CalibrationConfig(
                    new DataConfig(
                        Path.of("photos"),
                        "images",
                        Map.of("images.size", List.of(3, 4), "images.mean", 0.5)),
                    4,
                    2,
                    NonFiniteValues.IGNORE))
            .evaluation(
                new EvaluationConfig(
                    DataConfig.of(Path.of("texts.csv")).with("column", "no"),
                    3,
                    LabelKind.BOXES,
                    EvaluationGates.NONE.withMinMap(0.25).withMinCosine(-0.5)))
            .verify(new VerificationConfig(false, 3, 12.5))
            .strict(false)
            .device(Device.of("cuda:1"))
            .build();

    assertThat(read(written(config))).isEqualTo(config);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a",
        "",
        " ",
        "1",
        "-1.5",
        "1e5",
        "true",
        "No",
        "null",
        "~",
        "a???",
        "${a}",
        "\\${a}",
        "\\\\${x}",
        "a\\",
        "'",
        "\"",
        "a'b\"c",
        "a: b",
        "a #b",
        "#a",
        "- a",
        "-",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a`",
        "{a}",
        "[a]",
        "a,b",
        "a\nb",
        "a\tb",
        "\u0085",
        "\u2028",
        "\ufeff",
        "\u00fc\u6f22",
        "\ud83d\ude00",
        "\u0007",
        "2001-01-01",
        "0x1f",
        "017",
        "1:30",
        "<<",
        "=",
        ".5",
        ".inf",
        "?",
        "|",
        ">",
        "a:",
        "C:\\x\\y"
      })
  void keeps_every_text(String text) {
    ModelQuantizationConfig config =
        config()
            .skip("x" + text)
            .backendKwarg("value", text)
            .moduleClass("k" + text, "Linear")
            .build();

    assertThat(read(written(config))).isEqualTo(config);
  }
}
