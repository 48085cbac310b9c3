package dev.kvant.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Device;
import dev.kvant.api.DiscoveryException;
import dev.kvant.api.Dtype;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.InputDescription;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.ProviderException;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnavailableException;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.config.ConfigDocument;
import dev.kvant.runtime.evaluation.Evaluation;
import dev.kvant.spi.Availability;
import dev.kvant.spi.ModelFormat;
import dev.kvant.spi.ModelRunner;
import dev.kvant.spi.ModelRunnerProvider;
import dev.kvant.spi.ModelSource;
import dev.kvant.tck.NamedPipe;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("The entry point")
class KvantTest {

  @TempDir private Path folder;

  private Path file(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }

  private static Kvant.Builder kvant() {
    return Kvant.builder()
        .withoutDiscovery()
        .format(new FakeFormat("fake"))
        .format(new FakeFormat("other"));
  }

  @Test
  void opens_a_model_by_its_content_whatever_its_name() throws IOException {
    Path model = file("model.other", "fake model");

    try (Kvant kvant = kvant().build();
        QuantizableModel opened = kvant.load(model)) {
      assertThat(opened.format()).isEqualTo("fake");
    }
  }

  @Test
  void lists_the_formats_that_it_knows_for_a_file_of_none() throws IOException {
    Path model = file("model.fake", "what is this");

    try (Kvant kvant = kvant().build()) {
      assertThatThrownBy(() -> kvant.load(model))
          .isInstanceOf(ModelFormatException.class)
          .hasMessage(model + " is not a model of any installed format; installed: fake, other");
    }
  }

  @Test
  void says_when_no_format_is_installed_at_all() throws IOException {
    Path model = file("model", "x");

    try (Kvant kvant = Kvant.builder().withoutDiscovery().build()) {
      assertThatThrownBy(() -> kvant.load(model))
          .isInstanceOf(ModelFormatException.class)
          .hasMessageEndingWith("installed: none");
    }
  }

  @Test
  void misses_a_file_that_is_not_there_and_one_that_is_empty() throws IOException {
    Path empty = file("empty", "");

    try (Kvant kvant = kvant().build()) {
      assertThatThrownBy(() -> kvant.load(folder.resolve("none")))
          .isInstanceOf(ModelFormatException.class)
          .hasMessage("the model file " + folder.resolve("none") + " does not exist");
      assertThatThrownBy(() -> kvant.load(empty))
          .isInstanceOf(ModelFormatException.class)
          .hasMessage("the model file " + empty + " is empty");
    }
  }

  @Test
  void refuses_a_file_that_two_formats_claim_and_names_both() throws IOException {
    Path model = file("model", "fake model");

    try (Kvant kvant = kvant().format(new FakeFormat("fak")).build()) {
      assertThatThrownBy(() -> kvant.load(model))
          .isInstanceOf(DiscoveryException.class)
          .hasMessageContaining("2 model formats claim '" + model + "'")
          .hasMessageContaining(FakeFormat.class.getName());
    }
  }

  /** A format that fails as soon as it looks. */
  private static final class FailingFormat implements ModelFormat {

    @Override
    public List<String> ids() {
      return List.of("failing");
    }

    @Override
    public boolean recognizes(Path path) {
      throw new NoClassDefFoundError("some/Library");
    }

    @Override
    public QuantizableModel open(Path path) {
      throw new UnsupportedOperationException();
    }
  }

  @Test
  void opens_a_model_although_another_format_fails_to_look_at_it() throws IOException {
    Path model = file("model", "fake model");
    Path unknown = file("unknown", "x");

    try (Kvant kvant = kvant().format(new FailingFormat()).build()) {
      kvant.load(model).close();
      assertThatThrownBy(() -> kvant.load(unknown))
          .hasMessageStartingWith(
              unknown + " is not a model of any installed format; installed: failing, fake, other;")
          .hasMessageContaining(FailingFormat.class.getName())
          .hasMessageEndingWith(
              "recognizes() failed: class some.Library is not there, a jar must be missing");
    }
  }

  @Test
  void opens_a_model_although_another_format_fails_to_read_it() throws IOException {
    Path model = file("model", "fake model");
    ModelFormat failing = new StubFormat(List.of("failing"), List.of("failing"), true);

    try (Kvant kvant = kvant().format(failing).build()) {
      kvant.load(model).close();
    }
  }

  /** A format that takes every file, if it does not fail. */
  private record StubFormat(List<String> ids, List<String> formatOfModels, boolean fails)
      implements ModelFormat {

    @Override
    public boolean recognizes(Path path) throws IOException {
      if (fails) {
        throw new IOException("bad sector");
      }
      return true;
    }

    @Override
    @SuppressWarnings("NullAway")
    public QuantizableModel open(Path path) {
      return formatOfModels.isEmpty() ? null : new FakeModel().format(formatOfModels.get(0));
    }
  }

  @Test
  void names_the_format_that_opens_nothing_or_a_model_of_another_format() throws IOException {
    Path model = file("model", "x");

    try (Kvant nothing =
            Kvant.builder()
                .withoutDiscovery()
                .format(new StubFormat(List.of("stub"), List.of(), false))
                .build();
        Kvant another =
            Kvant.builder()
                .withoutDiscovery()
                .format(new StubFormat(List.of("stub"), List.of("onnx"), false))
                .build()) {
      assertThatThrownBy(() -> nothing.load(model))
          .isInstanceOf(ProviderException.class)
          .hasMessageMatching("format .*StubFormat \\(.*\\): open\\(\\) returned null");
      assertThatThrownBy(() -> another.load(model))
          .isInstanceOf(ProviderException.class)
          .hasMessageEndingWith(
              "open() returned a model of format 'onnx', which is not among its ids: stub");
    }
  }

  @Test
  void refuses_a_model_of_a_format_that_two_claim_and_opens_others() throws IOException {
    Path contested = file("contested", "other model");
    Path model = file("model", "fake model");
    ModelFormat impostor = new StubFormat(List.of("other"), List.of("other"), true);

    try (Kvant kvant = kvant().format(impostor).build()) {
      kvant.load(model).close();
      assertThatThrownBy(() -> kvant.load(contested))
          .isInstanceOf(DiscoveryException.class)
          .hasMessageContaining("2 model formats claim 'other'")
          .hasMessageContaining(StubFormat.class.getName())
          .hasMessageContaining(FakeFormat.class.getName());
      assertThat(kvant.backends().conflicts())
          .singleElement()
          .asString()
          .startsWith("2 model formats claim 'other'");
    }
  }

  @Test
  void goes_on_after_a_source_that_gives_null_and_names_it_where_no_other_helps()
      throws IOException {
    Path model = file("model", "other model");
    ModelSource broken = new NullSource();
    ModelSource integers =
        object -> object instanceof Integer ? Optional.of(model) : Optional.empty();

    try (Kvant kvant = kvant().source(broken).source(integers).build()) {
      kvant.load((Object) 7).close();
      assertThatThrownBy(() -> kvant.load("model"))
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessageContaining("NullSource")
          .hasMessageContaining("locate() returned null");
    }
  }

  private static final class NullSource implements ModelSource {

    @Override
    @SuppressWarnings("NullAway")
    public Optional<Path> locate(Object model) {
      return null;
    }
  }

  @Test
  void opens_the_file_behind_an_object_that_a_source_knows() throws IOException {
    Path model = file("model", "other model");
    ModelSource missingFramework =
        object -> {
          throw new NoClassDefFoundError("some/framework/Model");
        };
    ModelSource integers =
        object -> object instanceof Integer ? Optional.of(model) : Optional.empty();

    try (Kvant kvant = kvant().source(missingFramework).source(integers).build()) {
      assertThat(kvant.load((Object) 7).format()).isEqualTo("other");
      assertThat(kvant.load((Object) model).format()).isEqualTo("other");
      assertThatThrownBy(() -> kvant.load("model"))
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessageStartingWith(
              "a java.lang.String is no model that can be opened; pass the java.nio.file.Path");
    }
  }

  @Test
  void tells_what_cannot_be_read_and_what_cannot_be_done_at_once_in_the_order_of_the_fields() {
    ConfigDocument document =
        ConfigDocument.parse(
            """
            quantize:
              backend: fake
              mode: slow
              device: gpu
              layers:
                - module_name: ''
                  weights: { dtype: int4 }
                - { module_name: a, weight: { dtype: int8 } }
              backend_kwargs: { kernle: 1 }
            """);

    try (Kvant kvant = kvant().backend(FakeBackend.calibratable("fake")).build()) {
      assertThatThrownBy(() -> kvant.quantizer(document))
          .isInstanceOfSatisfying(
              InvalidConfigurationException.class,
              e ->
                  assertThat(e.problems())
                      .extracting(ConfigurationProblem::path)
                      .containsExactly(
                          "quantize.mode",
                          "quantize.layers[0].module_name",
                          "quantize.layers[0].weights.dtype",
                          "quantize.layers[1].weight",
                          "quantize.backend_kwargs.kernle",
                          "quantize.device"));
    }
  }

  private static List<String> problems(String document, FakeBackend backend) {
    try (Kvant kvant = kvant().backend(backend).build()) {
      kvant.quantizer(ConfigDocument.parse(document)).close();
      return List.of();
    } catch (InvalidConfigurationException e) {
      return e.problems().stream().map(ConfigurationProblem::toString).toList();
    }
  }

  @Test
  void orders_problems_by_the_fields_of_the_records_at_every_depth() {
    assertThat(
            problems(
                """
                quantize:
                  device: gpu
                  strict: perhaps
                  evaluation: { batch_size: 0, path: 'x' }
                  calibration:
                    images: { layout: CHW, std: [0], mean: [a], size: [0] }
                    max_batches: 0
                    batch_size: 0
                    path: [y]
                  layers:
                    - weights: { observer_or_fake_quant: x, quant_axis: first, dtype: int3 }
                      module_name: [a]
                  algorithm: x
                  backend: fake
                """,
                FakeBackend.calibratable("fake")))
        .extracting(problem -> problem.replaceFirst(": .*", ""))
        .containsExactly(
            "quantize.mode",
            "quantize.algorithm",
            "quantize.layers[0].module_name",
            "quantize.layers[0].weights.dtype",
            "quantize.layers[0].weights.quant_axis",
            "quantize.layers[0].weights.observer_or_fake_quant",
            "quantize.calibration.path",
            "quantize.calibration.images",
            "quantize.evaluation.batch_size",
            "quantize.strict",
            "quantize.device");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{ module_nam: fc, weights: { dtype: int8 } } | layers[0].module_nam",
        "{ module_name: fc, wieghts: { dtype: int8 } } | layers[0].wieghts",
        "{ module_name: fc, weights: { dtpye: int8 } } | layers[0].weights.dtpye",
        "{ module_name: fc, weights: { dtype: [int8] } } | layers[0].weights.dtype",
        "{ module_name: fc, weights: int8 } | layers[0].weights",
      })
  void tells_one_problem_once(String layer, String path) {
    assertThat(
            problems(
                "{ backend: fake, layers: [%s] }".formatted(layer), FakeBackend.weightOnly("fake")))
        .singleElement()
        .asString()
        .startsWith(path + ": ");
  }

  @Test
  void tells_an_unknown_mode_once() {
    FakeBackend picky =
        FakeBackend.calibratable("fake").findingFault("quantize.layers", "too few for the mode");

    assertThat(problems("{ backend: fake, mode: slow, default_layer_dtype: int8 }", picky))
        .singleElement()
        .asString()
        .startsWith("mode: 'slow' is not supported by backend 'fake'; use one of ");
  }

  @ParameterizedTest
  @CsvSource({"fkae, fake", "Fake_, fake", "alas, alias"})
  void asks_whether_another_backend_was_meant(String written, String meant) {
    assertThat(
            problems(
                "{ backend: %s, default_layer_dtype: int8 }".formatted(written),
                FakeBackend.weightOnly("fake", "alias")))
        .containsExactly(
            "backend: no backend '%s' is installed; did you mean '%s'? installed: fake"
                .formatted(written, meant));
  }

  @Test
  void refuses_a_document_that_asks_for_nothing() {
    assertThat(problems("{ backend: fake }", FakeBackend.weightOnly("fake")))
        .singleElement()
        .asString()
        .startsWith("layers: no rule or default asks for anything to be quantized");
  }

  @Test
  void does_not_miss_what_could_only_not_be_read() {
    try (Kvant kvant = kvant().build()) {
      assertThatThrownBy(
              () -> kvant.quantizer(Map.of("backend", List.of(), "layers", List.of("x"))))
          .isInstanceOfSatisfying(
              InvalidConfigurationException.class,
              e ->
                  assertThat(e.problems())
                      .extracting(ConfigurationProblem::toString)
                      .containsExactly(
                          "backend: must be a text, but is a list",
                          "layers[0]: must be a mapping, but is 'x'"));
    }
  }

  @Test
  void speaks_of_a_bare_section_without_its_name() {
    try (Kvant kvant = kvant().backend(FakeBackend.weightOnly("fake")).build()) {
      assertThatThrownBy(
              () -> kvant.quantizer(Map.of("backend", "fake", "default_layer_dtype", "int4")))
          .hasMessageStartingWith("default_layer_dtype: 'int4' is not supported");
    }
  }

  @Test
  void asks_for_a_backend_when_none_is_named() {
    try (Kvant kvant = kvant().build()) {
      assertThatThrownBy(() -> kvant.quantizer(ModelQuantizationConfig.builder().build()))
          .isInstanceOf(InvalidConfigurationException.class)
          .hasMessage("quantize.backend: is required; name the backend that quantizes");
    }
  }

  @Test
  void makes_a_quantizer_of_a_builder_a_map_and_a_document_alike() {
    ModelQuantizationConfig built =
        ModelQuantizationConfig.builder().backend("fake.alias").layer("Linear", Dtype.INT8).build();
    Map<String, Object> map =
        Map.of(
            "backend",
            "fake.alias",
            "layers",
            List.of(Map.of("module_name", "Linear", "weights", Map.of("dtype", "int8"))));
    ConfigDocument document =
        ConfigDocument.parse(
            "backend: fake.alias\nlayers: [{ module_name: Linear, weights: { dtype: int8 } }]");

    try (Kvant kvant = kvant().backend(FakeBackend.weightOnly("fake", "fake.alias")).build();
        ModelQuantizer ofBuilder = kvant.quantizer(built);
        ModelQuantizer ofMap = kvant.quantizer(map);
        ModelQuantizer ofDocument = kvant.quantizer(document)) {
      assertThat(ofBuilder.config())
          .isEqualTo(
              built.toBuilder().backend("fake").mode(QuantizationMode.WEIGHT_ONLY_PTQ).build());
      assertThat(ofMap.config()).isEqualTo(ofBuilder.config());
      assertThat(ofDocument.config()).isEqualTo(ofBuilder.config());
    }
  }

  @Test
  void lets_the_backend_find_fault() {
    FakeBackend backend = FakeBackend.weightOnly("fake").findingFault("quantize.layers", "too few");

    try (Kvant kvant = kvant().backend(backend).build()) {
      assertThatThrownBy(
              () -> kvant.quantizer(Map.of("backend", "fake", "default_layer_dtype", "int8")))
          .isInstanceOf(InvalidConfigurationException.class)
          .hasMessage("layers: too few");
    }
  }

  @Test
  void refuses_a_backend_that_cannot_work_here() {
    FakeBackend backend = FakeBackend.weightOnly("fake").unavailable("there is no GPU");

    try (Kvant kvant = kvant().backend(backend).build()) {
      assertThatThrownBy(
              () -> kvant.quantizer(Map.of("backend", "fake", "default_layer_dtype", "int8")))
          .isInstanceOf(UnavailableException.class)
          .hasMessage("backend 'fake' cannot work here: there is no GPU");
    }
  }

  @Test
  void refuses_to_work_with_no_threads() {
    assertThatThrownBy(() -> Kvant.builder().parallelism(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("threads: must be at least 1, was 0");
  }

  /** Runs models of one format by giving their input back. */
  private record EchoProvider(String format, Availability availability)
      implements ModelRunnerProvider {

    @Override
    public List<String> formats() {
      return List.of(format);
    }

    @Override
    public ModelRunner open(Path model, Device device) {
      return new ModelRunner() {
        @Override
        public List<InputDescription> inputs() {
          return List.of(InputDescription.of("input"));
        }

        @Override
        public Map<String, Tensor> run(TensorBatch batch) {
          return batch.inputs();
        }

        @Override
        public void close() {}
      };
    }
  }

  private static EchoProvider echo(String format) {
    return new EchoProvider(format, Availability.available());
  }

  @Test
  void runs_a_model_with_what_is_installed_for_its_format() throws IOException {
    Path model = file("model", "fake model");
    TensorBatch batch = TensorBatch.of(Tensor.ofFloats(new float[] {1}, 1));

    try (Kvant kvant = kvant().runner(echo("other")).runner(echo("fake")).build();
        ModelRunner runner = kvant.runner(model, Device.CPU)) {
      assertThat(runner.run(batch)).isEqualTo(batch.inputs());
    }
  }

  @Test
  void says_when_nothing_runs_a_format() throws IOException {
    Path model = file("model", "fake model");

    try (Kvant kvant = kvant().runner(echo("other")).build()) {
      assertThatThrownBy(() -> kvant.runner(model, Device.CPU))
          .isInstanceOf(UnavailableException.class)
          .hasMessage("nothing installed runs models of format 'fake', which " + model + " is");
    }
  }

  @Test
  void says_why_a_format_cannot_run_here() throws IOException {
    Path model = file("model", "fake model");
    EchoProvider lame = new EchoProvider("fake", Availability.unavailable("libtorch is missing"));

    try (Kvant kvant = kvant().runner(lame).build()) {
      assertThatThrownBy(() -> kvant.runner(model, Device.CPU))
          .isInstanceOf(UnavailableException.class)
          .hasMessage("models of format 'fake' cannot run here: libtorch is missing");
    }
  }

  @Test
  void knows_devices_by_their_form() throws IOException {
    Path model = file("model", "fake model");

    try (Kvant kvant = kvant().runner(echo("fake")).build()) {
      assertThatThrownBy(() -> kvant.runner(model, Device.of("gpu")))
          .isInstanceOf(InvalidConfigurationException.class)
          .hasMessage("device: 'gpu' is not a device; use cpu, cuda or cuda:N");
    }
  }

  @Test
  void refuses_a_format_that_two_runners_claim() throws IOException {
    Path model = file("model", "fake model");

    try (Kvant kvant = kvant().runner(echo("fake")).runner(echo("fake")).build()) {
      assertThatThrownBy(() -> kvant.runner(model, Device.CPU))
          .isInstanceOf(DiscoveryException.class)
          .hasMessageContaining("2 runners claim 'fake'");
    }
  }

  @Test
  void evaluates_a_model_beside_a_reference() throws IOException {
    Path model = file("model", "fake model");
    Path reference = file("reference", "other, larger model");
    Path data = folder.resolve("data.npz");
    try (InputStream in = KvantTest.class.getResourceAsStream("/npy/pairs.npz")) {
      Files.copy(Objects.requireNonNull(in), data);
    }

    try (Kvant kvant = kvant().runner(echo("other")).runner(echo("fake")).build()) {
      Evaluation evaluation =
          kvant.evaluate(model, reference, EvaluationConfig.of(data, 2), Device.CPU);

      assertThat(evaluation.samples()).isEqualTo(5);
      assertThat(evaluation.model().format()).isEqualTo("fake");
      assertThat(evaluation.model().bytes()).isEqualTo(10);
      assertThat(Objects.requireNonNull(evaluation.reference()).bytes()).isEqualTo(19);
      assertThat(Objects.requireNonNull(evaluation.similarity()).sqnrDecibels()).isInfinite();
      assertThat(kvant.evaluate(model, null, EvaluationConfig.of(data, 2), Device.CPU).reference())
          .isNull();
    }
  }

  @Test
  void refuses_pipes_and_devices_as_models() throws Exception {
    Path pipe = NamedPipe.create(folder.resolve("pipe"));

    try (Kvant kvant = kvant().build()) {
      for (Path path : List.of(pipe, Path.of("/dev/zero"))) {
        assertThat(NamedPipe.assertRefused(path, () -> kvant.load(path).close()))
            .isEqualTo(path + " is neither a file nor a folder, so it is no model");
      }
    }
  }
}
