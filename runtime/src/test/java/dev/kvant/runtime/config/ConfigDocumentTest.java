package dev.kvant.runtime.config;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ActivationQuantizationConfig;
import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.DataConfig;
import dev.kvant.api.Device;
import dev.kvant.api.Dtype;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.EvaluationGates;
import dev.kvant.api.Granularity;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.LabelKind;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.NonFiniteValues;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.WeightQuantizationConfig;
import dev.kvant.tck.NamedPipe;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("A configuration document")
class ConfigDocumentTest {

  private static ModelQuantizationConfig config(String yaml) {
    BoundConfig bound = ConfigDocument.parse(yaml).bind(Set.of("column", "images"));
    assertThat(bound.problems()).isEmpty();
    return bound.config();
  }

  private static List<String> problems(String yaml) {
    return ConfigDocument.parse(yaml).bind().problems().stream()
        .map(ConfigurationProblem::toString)
        .toList();
  }

  @Test
  void fills_every_field() {
    ModelQuantizationConfig config =
        config(
            """
            quantize:
              backend: modelopt
              mode: STATIC_PTQ
              algorithm: max
              default_layer_dtype: Float8_E4M3FN
              default_activation_dtype: int8
              layers:
                - module_name: nn.Linear
                  weights:
                    dtype: int8
                    quant_axis: 0
                    observer_or_fake_quant: percentile
                    observer_or_fake_quant_kwargs: { percentile: 99.9 }
                  activations: { dtype: fp8_e5m2 }
                - module_name: head
                  weights: { dtype: native }
              skip_names: ['*norm*', head]
              module_classes: { 'emb*': Embedding }
              model_path: models/a.pt
              results_dir: results
              backend_kwargs: { runtime_modules: true, names: [a, b], depth: 2 }
              calibration:
                path: data/calibration
                batch_size: 8
                max_batches: 4
                non_finite: Ignore
                reader: photos
                images: { size: [224, 256], mean: [0.5], std: null, layout: nhwc }
                column: photo
              evaluation: { path: data/test.npz, batch_size: 64 }
              strict: false
              device: CUDA:1
            """);

    assertThat(config)
        .isEqualTo(
            ModelQuantizationConfig.builder()
                .backend("modelopt")
                .mode(QuantizationMode.STATIC_PTQ)
                .algorithm(CalibrationAlgorithm.MINMAX)
                .defaultLayerDtype(Dtype.FP8_E4M3FN)
                .defaultActivationDtype(Dtype.INT8)
                .layer(
                    new LayerQuantizationConfig(
                        "nn.Linear",
                        new WeightQuantizationConfig(
                            Dtype.INT8, 0, "percentile", Map.of("percentile", 99.9)),
                        ActivationQuantizationConfig.of(Dtype.FP8_E5M2)))
                .layer("head", Dtype.NATIVE)
                .skip("*norm*")
                .skip("head")
                .moduleClass("emb*", "Embedding")
                .modelPath(Path.of("models/a.pt"))
                .resultsDir(Path.of("results"))
                .backendKwarg("runtime_modules", true)
                .backendKwarg("names", List.of("a", "b"))
                .backendKwarg("depth", 2)
                .calibration(
                    CalibrationConfig.builder(Path.of("data/calibration"))
                        .batchSize(8)
                        .maxBatches(4)
                        .nonFinite(NonFiniteValues.IGNORE)
                        .reader("photos")
                        .option("images.size", List.of(224, 256))
                        .option("images.mean", List.of(0.5))
                        .option("images.layout", "nhwc")
                        .option("column", "photo")
                        .build())
                .evaluation(EvaluationConfig.of(Path.of("data/test.npz"), 64))
                .strict(false)
                .device(Device.of("cuda:1"))
                .build());
  }

  @Test
  void says_in_words_which_values_share_a_scale() {
    BoundConfig bound =
        ConfigDocument.of(
                Map.of(
                    "backend",
                    "x",
                    "layers",
                    List.of(
                        Map.of("module_name", "a", "weights", Map.of("granularity", "group:32")),
                        Map.of("module_name", "b", "weights", Map.of("granularity", "rows")))))
            .bind();

    assertThat(bound.config().layers().get(0).weights())
        .isEqualTo(new WeightQuantizationConfig(null, null, Granularity.group(32), null, Map.of()));
    assertThat(bound.problems())
        .extracting(ConfigurationProblem::toString)
        .containsExactly(
            "layers[1].weights.granularity: 'rows' is not a granularity; use one of"
                + " tensor, channel, axis:N, group:N, block:NxM");
  }

  @Test
  void leaves_defaults_where_it_says_nothing_or_null() {
    assertThat(config("quantize: { backend: torchao, layers: null, strict: ~, calibration: }"))
        .isEqualTo(ModelQuantizationConfig.builder().backend("torchao").build());
  }

  @Test
  void may_be_the_section_alone() {
    BoundConfig bound = ConfigDocument.parse("backend: torchao\nskip_names: 3").bind();

    assertThat(bound.section()).isEmpty();
    assertThat(bound.config().backend()).isEqualTo("torchao");
    assertThat(bound.problems())
        .containsExactly(new ConfigurationProblem("skip_names", "must be a list, but is '3'"));
  }

  @Test
  void without_a_section_and_not_one_itself_names_what_it_has() {
    assertThatThrownBy(() -> ConfigDocument.parse("train: {}\nmodel: {}").bind())
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessage("there is no section 'quantize' in the document, only train, model");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "quantize: | quantize: is empty",
        "quantize: 3 | quantize: must be a mapping, but is '3'",
        "quantize: [] | quantize: must be a mapping, but is a list",
        "quantize: ??? | quantize: must be given: it is '???' in the document",
        "[a] | the document must be a mapping, but is a list",
        "# nothing | the document is empty",
      })
  void with_something_else_for_a_section_is_refused(String yaml, String message) {
    assertThatThrownBy(() -> ConfigDocument.parse(yaml).bind())
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessage(message);
  }

  @Test
  void takes_weights_written_as_a_list_of_one() {
    String layer = "quantize: { backend: x, layers: [{ module_name: a, weights: %s }] }";

    assertThat(config(layer.formatted("[{ dtype: int8 }]")).layers().get(0).weights())
        .isEqualTo(WeightQuantizationConfig.of(Dtype.INT8));
    assertThat(config(layer.formatted("[]")).layers().get(0).weights()).isNull();
    assertThat(problems(layer.formatted("[{ dtype: int8 }, { dtype: int8 }]")))
        .containsExactly("quantize.layers[0].weights: must be one mapping, but is a list of 2");
  }

  @Test
  void tells_all_its_problems_at_once() {
    assertThat(
            problems(
                """
                quantize:
                  backend: [a]
                  mode: dynamic
                  layers:
                    - module_name: a
                      wieghts: { dtype: int8 }
                    - 5
                    - module_name: { b: c }
                      weights: { dtype: int8, quant_axis: first }
                  skip_names: all
                  strict: perhaps
                  calibration: { batch_size: 1.5 }
                  evaluation: { path: x, size: 3 }
                  modul_path: y
                """))
        .containsExactly(
            "quantize.backend: must be a text, but is a list",
            "quantize.layers[1]: must be a mapping, but is '5'",
            "quantize.layers[0].wieghts: is unknown (line 6); did you mean 'weights'?",
            "quantize.layers[2].module_name: must be a text, but is a mapping",
            "quantize.layers[2].weights.quant_axis: must be a whole number, but is 'first'",
            "quantize.skip_names: must be a list, but is 'all'",
            "quantize.calibration.path: is required",
            "quantize.calibration.batch_size: must be a whole number, but is '1.5'",
            "quantize.evaluation.size: is unknown (line 13); known here: path, reader,"
                + " batch_size, labels, gates",
            "quantize.strict: must be true or false, but is 'perhaps'",
            "quantize.modul_path: is unknown (line 14); did you mean 'model_path'?");
  }

  @Test
  void takes_numbers_and_truth_values_written_as_text() {
    ModelQuantizationConfig config =
        config("quantize: { backend: x, strict: 'off', evaluation: { path: 7, batch_size: '8' } }");

    assertThat(config.strict()).isFalse();
    assertThat(config.evaluation()).isEqualTo(EvaluationConfig.of(Path.of("7"), 8));
  }

  @Test
  void reads_what_labels_are_and_the_gates_on_figures() {
    ModelQuantizationConfig config =
        config(
            "quantize: { backend: x, evaluation: { path: y, labels: Text, gates: { max_cer: '0.1',"
                + " min_cosine: 0.9 } } }");

    assertThat(config.evaluation())
        .isEqualTo(
            new EvaluationConfig(
                DataConfig.of(Path.of("y")),
                null,
                LabelKind.TEXT,
                EvaluationGates.NONE.withMaxCer(0.1).withMinCosine(0.9)));
  }

  @Test
  void refuses_gates_on_figures_that_the_labels_do_not_give() {
    assertThat(
            problems("quantize: { backend: x, evaluation: { path: y, gates: { min_map: 0.3 } } }"))
        .containsExactly(
            "quantize.evaluation.gates.min_map: needs labels: boxes, and labels is classes");
    assertThat(problems("quantize: { backend: x, evaluation: { path: y, labels: masks } }"))
        .singleElement()
        .asString()
        .startsWith("quantize.evaluation.labels: must be classes, boxes or text");
  }

  @Test
  void leaves_alone_what_other_sections_leave_open() {
    assertThat(
            config(
                    """
                    dataset: { root: '???', size: '${no.such.thing}', loop: '${dataset.loop}' }
                    key: ${oc.env:KVANT_TEST_UNSET}
                    quantize: { backend: torchao }
                    """)
                .backend())
        .isEqualTo("torchao");
  }

  @Test
  void resolves_references_into_other_sections_when_it_reads_them() {
    ModelQuantizationConfig config =
        config(
            """
            name: digits
            rules: [{ module_name: Linear, weights: '${types.small}' }]
            types: { small: { dtype: '${.kind}8', kind: int } }
            quantize:
              backend: ${oc.env:KVANT_TEST_UNSET,torchao}
              layers: ${rules}
              model_path: models/${name}/${.backend}.pt
            """
                .replace("kind: int }", "}")
                .replace("${.kind}8", "int8"));

    assertThat(config.layers())
        .containsExactly(LayerQuantizationConfig.weights("Linear", Dtype.INT8));
    assertThat(config.modelPath()).isEqualTo(Path.of("models/digits/torchao.pt"));
  }

  @Test
  void counts_relative_references_from_where_they_are_written() {
    assertThat(
            config(
                    """
                    types: { kind: int, small: { dtype: '${..kind}8' } }
                    quantize:
                      backend: x
                      layers: [{ module_name: a, weights: '${types.small}' }]
                    """)
                .layers())
        .containsExactly(LayerQuantizationConfig.weights("a", Dtype.INT8));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "??? | must be given: it is '???' in the document",
        "${open} | '${open}' refers to 'open', which must be given: it is '???' in the document",
        "x${open}y | '${open}' refers to 'open', which must be given: it is '???' in the document",
        "${nmae} | '${nmae}' refers to 'nmae', which is not in the document; did you mean 'name'?",
        "${name.x} | '${name.x}' refers to 'x' inside of 'name', which is 'digits'",
        "${list[3]} | '${list[3]}' refers to entry '3' of 'list', which has 2 entries",
        "${....x} | '${....x}' points above the document's root",
        "${ring} | the references go round in a circle: quantize.model_path -> ring -> gnir ->"
            + " ring",
        "x${list} | 'x${list}' puts a list into a text",
        "${name | '${name' has a '${' without its '}'",
        "${a..b} | '${a..b}' is not understood: 'a..b' has an empty part",
        "${oc.env:KVANT_TEST_UNSET} | '${oc.env:KVANT_TEST_UNSET}' needs the environment variable"
            + " KVANT_TEST_UNSET, which is not set",
        "${oc.decode:x} | '${oc.decode:x}' uses the resolver 'oc.decode', which Kvant does not"
            + " know; it knows oc.env",
        "${oc.env:} | '${oc.env:}' is not understood: write ${oc.env:NAME} or"
            + " ${oc.env:NAME,default}",
      })
  void says_what_is_wrong_with_a_reference(String value, String message) {
    String yaml =
        """
        open: ???
        name: digits
        list: [1, 2]
        ring: ${gnir}
        gnir: ${ring}
        quantize: { backend: x, model_path: '%s' }
        """;

    assertThat(problems(yaml.formatted(value))).containsExactly("quantize.model_path: " + message);
  }

  @Test
  void reads_the_environment_that_it_is_given() {
    ConfigDocument document =
        ConfigDocument.parse("quantize: { backend: '${oc.env:WHICH}' }")
            .withEnvironment(Map.of("WHICH", "torchao")::get);

    assertThat(document.bind().config().backend()).isEqualTo("torchao");
  }

  @Test
  void takes_the_results_folder_of_the_whole_when_the_section_has_none() {
    assertThat(config("results_dir: out\nquantize: { backend: x }").resultsDir())
        .isEqualTo(Path.of("out"));
    assertThat(config("results_dir: out\nquantize: { backend: x, results_dir: in }").resultsDir())
        .isEqualTo(Path.of("in"));
    assertThat(problems("results_dir: ???\nquantize: { backend: x }"))
        .containsExactly("results_dir: must be given: it is '???' in the document");
  }

  @Test
  void need_not_say_where_results_go_when_nothing_is_written() {
    BoundConfig bound =
        ConfigDocument.parse(
                "results_dir: ???\nquantize: { backend: x, results_dir: '${results_dir}' }")
            .withoutResultsDir()
            .bind();

    assertThat(bound.problems()).isEmpty();
    assertThat(bound.config().resultsDir()).isNull();
  }

  @Test
  void of_an_experiment_is_used_as_it_is() {
    Path experiment = Path.of("..", "examples", "tao", "experiment.yaml");

    BoundConfig bound =
        ConfigDocument.read(experiment).withOverrides(List.of("results_dir=out/tao")).bind();

    assertThat(bound.problems()).isEmpty();
    assertThat(bound.config().resultsDir()).isEqualTo(Path.of("out/tao/quantize"));
    assertThat(bound.config().layers())
        .containsExactly(LayerQuantizationConfig.weights("*", Dtype.INT8));
    assertThat(bound.config().skipNames()).hasSizeGreaterThan(10);
  }

  @Test
  void of_an_experiment_says_that_its_results_folder_must_be_given() {
    BoundConfig bound =
        ConfigDocument.read(Path.of("..", "examples", "tao", "experiment.yaml")).bind();

    assertThat(bound.problems())
        .extracting(ConfigurationProblem::path)
        .containsExactly("quantize.results_dir");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a: 1\\nb: 2\\na: 3 | line 3, column 1: the key 'a' stands here and in line 1; remove one",
        "a: [1, 2 | expected ',' or ']'",
        "a: *x | found undefined alias x",
        "a: &x { b: *x } | an anchor contains an alias of itself",
        "a: !!set { b } | the tag 'tag:yaml.org,2002:set' means nothing here",
        "a: !mine b | the tag '!mine' means nothing here",
        "? [a] : b | a key must be a single value",
        "<<: 3 | only a mapping can be merged by '<<'",
        "a: 1\\n---\\nb: 2 | but found another document",
      })
  void that_is_no_usable_yaml_is_refused_with_the_place(String yaml, String message) {
    assertThatThrownBy(() -> ConfigDocument.parse(yaml.replace("\\n", "\n")))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessageMatching("the document, line \\d+, column \\d+: .*")
        .hasMessageContaining(message);
  }

  @Test
  void that_repeats_itself_beyond_measure_is_refused_soon() {
    StringBuilder bomb = new StringBuilder("a0: &a0 [x, x]\n");
    for (int i = 1; i < 60; i++) {
      bomb.append("a%d: &a%d [*a%d, *a%d]\n".formatted(i, i, i - 1, i - 1));
    }

    assertThatThrownBy(() -> ConfigDocument.parse(bomb + "quantize: { backend: x }"))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessageContaining("aliases");
  }

  @Test
  void that_expands_beyond_measure_in_free_options_is_refused_soon() {
    StringBuilder bomb = new StringBuilder("a0: [x, x]\n");
    for (int i = 1; i < 40; i++) {
      bomb.append("a%d: ['${a%d}', '${a%d}']\n".formatted(i, i - 1, i - 1));
    }

    assertThat(problems(bomb + "quantize: { backend: x, backend_kwargs: { k: '${a39}' } }"))
        .singleElement()
        .asString()
        .startsWith("quantize.backend_kwargs.k: becomes too large");
  }

  @Test
  void whose_texts_double_each_other_is_refused_soon() {
    StringBuilder bomb = new StringBuilder("a0: ''\nb0: xx\n");
    for (int i = 1; i < 40; i++) {
      bomb.append("a%d: '${a%d}${a%d}'\n".formatted(i, i - 1, i - 1));
      bomb.append("b%d: '${b%d}${b%d}'\n".formatted(i, i - 1, i - 1));
    }

    assertThat(problems(bomb + "quantize: { backend: '${a39}', model_path: '${b39}' }"))
        .hasSize(2)
        .allMatch(problem -> problem.contains("too"));
  }

  @Test
  void whose_options_contain_themselves_is_refused() {
    assertThat(
            problems(
                "quantize: { backend: x, backend_kwargs: { a: { b: '${quantize.backend_kwargs}' } }"
                    + " }"))
        .singleElement()
        .asString()
        .contains("becomes too large; does a section refer to a section that it is part of?");
  }

  /** A document whose values refer to each other in a chain, to an end that is a backend. */
  private static String chain(int length) {
    StringBuilder yaml = new StringBuilder("quantize: { backend: '${a0}' }\n");
    for (int i = 0; i < length; i++) {
      yaml.append("a%d: ${a%d}\n".formatted(i, i + 1));
    }
    return yaml.append("a%d: torchao\n".formatted(length)).toString();
  }

  @Test
  void follows_references_that_lead_to_others() {
    assertThat(config(chain(90)).backend()).isEqualTo("torchao");
  }

  @Test
  void with_too_long_a_chain_of_references_is_refused() {
    assertThat(problems(chain(20_000)))
        .singleElement()
        .asString()
        .startsWith("quantize.backend: '${a")
        .endsWith("' leads to more than 100 references, each to the next");
  }

  @ParameterizedTest
  @ValueSource(strings = {"${", "${a.", "${oc.env:", "${oc.env:A,'", "x${"})
  void with_references_inside_of_each_other_beyond_measure_is_refused(String opening) {
    String value = opening.repeat(400);

    assertThat(problems("quantize: { backend: \"%s\" }".formatted(value)))
        .singleElement()
        .asString()
        .startsWith("quantize.backend: '" + value.substring(0, 200) + "… (")
        .endsWith("leads to more than 100 references, each to the next");
  }

  @Test
  void with_long_chains_of_references_inside_of_each_other_is_refused() {
    StringBuilder yaml = new StringBuilder("quantize: { backend: '${a0}' }\n");
    for (int i = 0; i < 60; i++) {
      yaml.append("a%d: '%sa%d%s'\n".formatted(i, "${".repeat(60), i + 1, "}".repeat(60)));
    }

    assertThat(problems(yaml.toString())).singleElement().asString().contains("more than 100");
  }

  @Test
  void with_a_text_that_no_setting_has_is_refused_in_a_short_message() {
    assertThat(problems("quantize: { backend: %s }".formatted("a".repeat(900_000))))
        .containsExactly("quantize.backend: has 900000 characters; at most 4096 are read");
  }

  @Test
  void shortens_in_messages_what_it_quotes() {
    assertThat(problems("quantize: { backend: x, strict: %s }".formatted("a".repeat(4000))))
        .containsExactly(
            "quantize.strict: must be true or false, but is '%s… (4000 characters)'"
                .formatted("a".repeat(200)));
  }

  @Test
  void may_have_thousands_of_entries() {
    String names =
        IntStream.range(0, 20_000).mapToObj(i -> "'block." + i + "'").collect(joining(", "));

    assertThat(config("quantize: { backend: x, skip_names: [%s] }".formatted(names)).skipNames())
        .hasSize(20_000);
  }

  @Test
  void with_more_characters_than_are_read_is_refused() {
    assertThatThrownBy(() -> ConfigDocument.parse("a: " + "b".repeat(ConfigDocument.MOST_BYTES)))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessage("the document has 1048579 characters; at most 1048576 are read");
  }

  @Test
  void in_a_file_of_more_bytes_than_are_read_is_refused(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("spec.yaml");
    Files.writeString(file, "a: " + "b".repeat(ConfigDocument.MOST_BYTES));

    assertThatThrownBy(() -> ConfigDocument.read(file))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessage(file + " has more than 1048576 bytes, the most that a document may have");
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void that_never_ends_is_refused() {
    assertThatThrownBy(() -> ConfigDocument.read(Path.of("/dev/zero")))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessage(
            "/dev/zero cannot be read: it is a pipe, a device or a socket; copy its content into a"
                + " file");
  }

  @Test
  void that_is_a_pipe_is_refused_without_waiting_for_who_writes(@TempDir Path folder)
      throws Exception {
    Path pipe = NamedPipe.create(folder.resolve("pipe"));

    assertThat(NamedPipe.assertRefused(pipe, () -> ConfigDocument.read(pipe)))
        .isEqualTo(
            pipe
                + " cannot be read: it is a pipe, a device or a socket; copy its content into a"
                + " file");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{ module_nam: a, weights: { dtype: int8 } } | layers[0].module_nam | module_name",
        "{ module_name: a, weight: { dtype: int8 } } | layers[0].weight | weights",
        "{ module_name: a, weights: { dtpe: int8 } } | layers[0].weights.dtpe | dtype",
      })
  void reads_a_misspelt_key_as_the_one_that_it_resembles(
      String layer, String misspelt, String meant) {
    BoundConfig bound =
        ConfigDocument.parse("quantize: { backend: x, layers: [%s] }".formatted(layer)).bind();

    assertThat(bound.config().layers())
        .containsExactly(LayerQuantizationConfig.weights("a", Dtype.INT8));
    assertThat(bound.problems())
        .extracting(ConfigurationProblem::toString)
        .containsExactly(
            "quantize.%s: is unknown (line 1); did you mean '%s'?".formatted(misspelt, meant));
  }

  @Test
  void tells_what_is_wrong_inside_of_a_misspelt_key() {
    assertThat(problems("quantize: { backend: x, calibraton: { pth: y, batch_size: many } }"))
        .containsExactly(
            "quantize.calibraton.batch_size: must be a whole number, but is 'many'",
            "quantize.calibraton.pth: is unknown (line 1); did you mean 'path'?",
            "quantize.calibraton: is unknown (line 1); did you mean 'calibration'?");
  }

  @Test
  void does_not_miss_a_model_path_that_is_misspelt() {
    assertThat(
            ConfigDocument.parse("quantize: { backend: x, model_pat: m.pt }")
                .requiringModelPath("set it")
                .bind()
                .problems())
        .extracting(ConfigurationProblem::path)
        .containsExactly("quantize.model_pat");
  }

  @Test
  void takes_a_key_as_it_is_beside_one_that_resembles_it() {
    assertThat(problems("quantize: { backend: x, strict: false, strct: perhaps }"))
        .containsExactly("quantize.strct: is unknown (line 1); did you mean 'strict'?");
  }

  @ParameterizedTest
  @ValueSource(strings = {"99999999999", "-2147483649", "999999999999999999999999999999"})
  void refuses_an_integer_that_would_become_another(String number) {
    assertThat(
            problems(
                "quantize: { backend: x, evaluation: { path: y, batch_size: %s } }"
                    .formatted(number)))
        .containsExactly(
            "quantize.evaluation.batch_size: must be from -2147483648 to 2147483647, but is '%s'"
                .formatted(number));
  }

  @Test
  void that_is_not_there_is_missed_by_name(@TempDir Path folder) {
    assertThatThrownBy(() -> ConfigDocument.read(folder.resolve("spec.yaml")))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessage("the file " + folder.resolve("spec.yaml") + " does not exist");
  }

  @Test
  void that_is_a_folder_or_no_text_is_refused(@TempDir Path folder) throws Exception {
    Path binary = Files.write(folder.resolve("x"), "ü".getBytes(StandardCharsets.ISO_8859_1));

    assertThatThrownBy(() -> ConfigDocument.read(folder))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessageContaining("cannot be read");
    assertThatThrownBy(() -> ConfigDocument.read(binary))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessage(binary + " is not text in UTF-8");
  }

  @Test
  void may_be_a_map_of_plain_values_and_of_kvants_own() {
    Map<String, Object> layer = new LinkedHashMap<>();
    layer.put("module_name", "Linear");
    layer.put("weights", Map.of("dtype", Dtype.INT8, "quant_axis", 1));
    layer.put("activations", null);
    Map<String, Object> quantize = new LinkedHashMap<>();
    quantize.put("backend", "torchao");
    quantize.put("mode", QuantizationMode.WEIGHT_ONLY_PTQ);
    quantize.put("layers", List.of(layer));
    quantize.put("model_path", Path.of("a", "b"));
    quantize.put("strict", false);

    BoundConfig bound = ConfigDocument.of(Map.of("quantize", quantize)).bind();

    assertThat(bound.problems()).isEmpty();
    assertThat(bound.config())
        .isEqualTo(
            ModelQuantizationConfig.builder()
                .backend("torchao")
                .mode(QuantizationMode.WEIGHT_ONLY_PTQ)
                .layer(
                    new LayerQuantizationConfig(
                        "Linear",
                        new WeightQuantizationConfig(Dtype.INT8, 1, null, Map.of()),
                        null))
                .modelPath(Path.of("a", "b"))
                .strict(false)
                .build());
  }

  @Test
  void may_not_be_a_map_of_other_objects() {
    assertThatThrownBy(
            () -> ConfigDocument.of(Map.of("backend", "x", "skip_names", List.of(new Object()))))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessage(
            "skip_names[0]: a java.lang.Object cannot stand in a configuration; use maps, lists and"
                + " single values");
  }

  @Test
  void may_not_be_a_map_that_contains_itself() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("a", map);

    assertThatThrownBy(() -> ConfigDocument.of(map))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessageContaining("does a map contain itself?");
  }

  private static final String SPEC =
      """
      results_dir: out
      train: { lr: 0.1 }
      quantize:
        backend: torchao
        model_path: old.pt
        results_dir: ${results_dir}/q
        layers:
          - { module_name: Linear, weights: { dtype: int8 } }
          - { module_name: Embedding, weights: '${..[0].weights}' }
      """;

  private static ModelQuantizationConfig overridden(String... overrides) {
    BoundConfig bound = ConfigDocument.parse(SPEC).withOverrides(Arrays.asList(overrides)).bind();
    assertThat(bound.problems()).isEmpty();
    return bound.config();
  }

  @Test
  void takes_overrides_that_count_from_its_root() {
    ModelQuantizationConfig config =
        overridden(
            "results_dir=new",
            "quantize.layers[0].weights.dtype=fp8_e5m2",
            "quantize.layers.1.module_name='*.head'",
            "quantize.skip_names=[a, 'b*']",
            "quantize.evaluation={path: x.npz, batch_size: 2}",
            "quantize.calibration.path=c.npz",
            "quantize.strict=no",
            "quantize.module_classes={'a.b': Linear}");

    assertThat(config.resultsDir()).isEqualTo(Path.of("new/q"));
    assertThat(config.layers())
        .containsExactly(
            LayerQuantizationConfig.weights("Linear", Dtype.FP8_E5M2),
            LayerQuantizationConfig.weights("*.head", Dtype.FP8_E5M2));
    assertThat(config.skipNames()).containsExactly("a", "b*");
    assertThat(config.evaluation()).isEqualTo(EvaluationConfig.of(Path.of("x.npz"), 2));
    assertThat(config.calibration()).isEqualTo(CalibrationConfig.of(Path.of("c.npz")));
    assertThat(config.strict()).isFalse();
    assertThat(config.moduleClasses()).containsExactly(Map.entry("a.b", "Linear"));
  }

  @Test
  void takes_a_bare_pattern_as_an_override() {
    assertThat(overridden("quantize.layers[0].module_name=*.fc?").layers().get(0).moduleName())
        .isEqualTo("*.fc?");
  }

  @Test
  void takes_null_as_an_override_to_unset_something() {
    assertThat(overridden("quantize.results_dir=null").resultsDir()).isEqualTo(Path.of("out"));
    assertThat(overridden("quantize.model_path=").modelPath()).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"model_path", "results_dir", "calibration.path", "evaluation.path"})
  void refuses_a_path_that_is_empty(String key) {
    ConfigDocument document =
        ConfigDocument.parse("quantize: { backend: x, calibration: {}, evaluation: {} }")
            .withOverrides(List.of("quantize.%s='  '".formatted(key)));

    assertThat(document.bind().problems())
        .extracting(ConfigurationProblem::toString)
        .contains("quantize.%s: must not be empty; '.' is the working directory".formatted(key));
  }

  @Test
  void that_is_the_section_alone_takes_overrides_that_count_from_there() {
    BoundConfig bound =
        ConfigDocument.parse("backend: torchao")
            .withOverrides(List.of("mode=weight_only_ptq", "backend_kwargs.kernel=int8pack"))
            .bind();

    assertThat(bound.problems()).isEmpty();
    assertThat(bound.config().mode()).isEqualTo(QuantizationMode.WEIGHT_ONLY_PTQ);
    assertThat(bound.config().backendKwargs()).containsExactly(Map.entry("kernel", "int8pack"));
  }

  @Test
  void takes_paths_before_overrides_whatever_their_order() {
    ConfigDocument document =
        ConfigDocument.parse(SPEC)
            .withModelPath(Path.of("flag.pt"))
            .withResultsDir(Path.of("flag"))
            .withCalibrationData(Path.of("flag.npz"))
            .withOverrides(
                List.of(
                    "quantize.model_path=override.pt",
                    "quantize.results_dir=override",
                    "quantize.calibration={path: override.npz, batch_size: 4}"));
    ModelQuantizationConfig config = document.bind().config();

    assertThat(config.modelPath()).isEqualTo(Path.of("flag.pt"));
    assertThat(config.resultsDir()).isEqualTo(Path.of("flag"));
    assertThat(config.calibration())
        .isEqualTo(CalibrationConfig.builder(Path.of("flag.npz")).batchSize(4).build());
  }

  @Test
  void needs_no_open_value_that_is_given_otherwise() {
    BoundConfig bound =
        ConfigDocument.parse("quantize: { backend: x, model_path: '???', results_dir: '???' }")
            .withModelPath(Path.of("a.pt"))
            .withOverrides(List.of("quantize.results_dir=out"))
            .bind();

    assertThat(bound.problems()).isEmpty();
    assertThat(bound.config().modelPath()).isEqualTo(Path.of("a.pt"));
  }

  @Test
  void takes_an_override_of_what_other_sections_have() {
    assertThat(overridden("train.lr=0.2").backend()).isEqualTo("torchao");
  }

  @Test
  void takes_a_new_key_outside_of_the_section_only_when_it_is_added_on_purpose() {
    assertThat(overridden("+train.momentum=0.9", "++train.decay=1").backend()).isEqualTo("torchao");
    assertThatThrownBy(() -> overridden("backend=onnx"))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessage(
            "the override 'backend=onnx' sets a key that is not in the document; did you mean"
                + " 'quantize.backend'? To add it, write '+backend=onnx'");
  }

  @Test
  void finds_unknown_keys_among_overrides_too() {
    assertThat(
            ConfigDocument.parse(SPEC)
                .withOverrides(List.of("quantize.layers[0].weights.dtpye=int8"))
                .bind()
                .problems())
        .extracting(ConfigurationProblem::toString)
        .contains("quantize.layers[0].weights.dtpye: is unknown; did you mean 'dtype'?");
  }

  @ParameterizedTest
  @ValueSource(strings = {"quantize.a", "quantize[0]", "+x.y"})
  void refuses_an_override_that_leads_too_deep(String key) {
    ConfigDocument document = ConfigDocument.parse("quantize: { backend: x }");

    assertThatThrownBy(
            () -> document.withOverrides(List.of(key + ".a".repeat(30_000) + "=1")).bind())
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessageStartingWith("the override '" + key + ".a.a.a")
        .hasMessageEndingWith("characters)' has more than 50 parts");
  }

  @ParameterizedTest
  @ValueSource(strings = {"[", "{a: ", "- ", "? ", "!!seq ["})
  void refuses_an_override_whose_value_is_nested_too_deep(String opening) {
    ConfigDocument document = ConfigDocument.parse("quantize: { backend: x }");

    assertThatThrownBy(
            () ->
                document
                    .withOverrides(List.of("quantize.skip_names=" + opening.repeat(20_000)))
                    .bind())
        .isInstanceOf(InvalidConfigurationException.class)
        .satisfies(e -> assertThat(String.valueOf(e.getMessage()).length()).isLessThan(1000));
  }

  @Test
  void refuses_overrides_that_are_not_understood_all_at_once() {
    assertThatThrownBy(
            () ->
                ConfigDocument.parse(SPEC)
                    .withOverrides(
                        List.of(
                            "quantize",
                            "=3",
                            "a..b=3",
                            "a[0=3",
                            "a.=3",
                            "quantize.x=[1",
                            "a=[*b]")))
        .isInstanceOfSatisfying(
            InvalidConfigurationException.class,
            e ->
                assertThat(e.problems())
                    .extracting(ConfigurationProblem::message)
                    .satisfiesExactly(
                        one ->
                            assertThat(one)
                                .endsWith("'quantize' is not understood: write KEY=VALUE"),
                        one -> assertThat(one).endsWith("'=3' is not understood: a key is empty"),
                        one -> assertThat(one).endsWith("'a..b' has an empty part"),
                        one -> assertThat(one).endsWith("'a[0' lacks a closing bracket"),
                        one -> assertThat(one).endsWith("'a.' ends in a dot"),
                        one -> assertThat(one).startsWith("the override 'quantize.x=[1', line 1"),
                        one -> assertThat(one).contains("undefined alias b")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "quantize.layers[2].module_name=a | 'quantize.layers' has 2 entries, so there is no entry"
            + " '2'",
        "quantize.layers.first.module_name=a | 'quantize.layers' has 2 entries, so there is no"
            + " entry 'first'",
        "quantize.backend.name=a | 'quantize.backend' is 'torchao' in the document, so nothing can"
            + " be set inside of it",
        "quantize.layers[1].weights.dtype=int8 | 'quantize.layers[1].weights' is '${..[0].weights}'"
            + " in the document, so nothing can be set inside of it",
      })
  void refuses_overrides_that_fit_nowhere(String override, String message) {
    assertThatThrownBy(() -> ConfigDocument.parse(SPEC).withOverrides(List.of(override)).bind())
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessage("the override '%s' fits nowhere: %s".formatted(override, message));
  }
}
