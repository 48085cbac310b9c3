package dev.kvant.runtime.tuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.DataException;
import dev.kvant.api.Dtype;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.InputDescription;
import dev.kvant.api.KvantException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.FakeModel;
import dev.kvant.runtime.data.DataReaders;
import dev.kvant.runtime.verification.RunnerSource;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.DataReaderDescriptor;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.DataRequest;
import dev.kvant.spi.ModelRunner;
import dev.kvant.spi.SampleBlock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("A tuning")
class TuningTest {

  private static final int SAMPLES = 8;

  @TempDir private Path folder;
  private Path data = Path.of("");
  private FakeModel model = new FakeModel();

  private final Samples samples = new Samples();
  private final List<FakeTrials> quantizers = new ArrayList<>();
  private final List<String> events = new ArrayList<>();
  private @Nullable RuntimeException failure;
  private String version = "1";
  private int runsUntilInterrupt = -1;

  @BeforeEach
  void write() throws IOException {
    data = Files.writeString(folder.resolve("samples.data"), "x");
    model =
        new FakeModel()
            .with("a", "Linear")
            .with("b", "Linear")
            .source(Files.writeString(folder.resolve("fake.model"), "12345"));
  }

  /** Eight samples (i + 1, i + 2, 1), with labels or without. */
  private static final class Samples implements DataReaderProvider {

    private int opened;
    private float first = 1;
    private @Nullable Tensor labels;

    @Override
    public DataReaderDescriptor descriptor() {
      return new DataReaderDescriptor("samples", "Reads samples.", List.of());
    }

    @Override
    public boolean recognizes(Path path) {
      return true;
    }

    @Override
    public DataReader open(DataRequest request) {
      opened++;
      return new DataReader() {

        private boolean isRead;

        @Override
        public OptionalLong count() {
          return OptionalLong.of(SAMPLES);
        }

        @Override
        public Optional<SampleBlock> next(int most) {
          if (isRead) {
            return Optional.empty();
          }
          isRead = true;
          float[] values = new float[3 * SAMPLES];
          for (int i = 0; i < SAMPLES; i++) {
            values[3 * i] = i + first;
            values[3 * i + 1] = i + 2;
            values[3 * i + 2] = 1;
          }
          Map<String, Tensor> tensors = new LinkedHashMap<>();
          tensors.put("input", Tensor.ofFloats(values, SAMPLES, 3));
          if (labels != null) {
            tensors.put(DataReader.LABEL, labels);
          }
          return Optional.of(new SampleBlock(SAMPLES, tensors, Map.of()));
        }

        @Override
        public void close() {}
      };
    }
  }

  private TrialQuantizer quantizer(ModelQuantizationConfig config) {
    FakeTrials fake =
        new FakeTrials(config, List.of(0.5f, 0.25f), List.of())
            .failing(failure)
            .version(version)
            .onSaved(() -> events.add("saved"));
    quantizers.add(fake);
    return fake;
  }

  private ModelRunner open(Path path, String format) {
    if (!path.equals(model.source())) {
      return quantizers.get(quantizers.size() - 1).open(path, format);
    }
    ModelRunner source = new FakeTrials(config(Map.of()), List.of(), List.of()).open(path, format);
    return new ModelRunner() {

      @Override
      public List<InputDescription> inputs() {
        return source.inputs();
      }

      @Override
      public Map<String, Tensor> run(TensorBatch batch) {
        runsUntilInterrupt--;
        if (runsUntilInterrupt == 0) {
          Thread.currentThread().interrupt();
        }
        return source.run(batch);
      }

      @Override
      public void close() {}
    };
  }

  private Tuning tuning() {
    RunnerSource runners = this::open;
    return new Tuning(
        model,
        this::quantizer,
        new DataReaders(List.of(samples)),
        device -> runners,
        QuantizationListener.NONE);
  }

  private static ModelQuantizationConfig config(Map<String, Object> options) {
    var config =
        ModelQuantizationConfig.builder()
            .backend("fake")
            .mode(QuantizationMode.WEIGHT_ONLY_PTQ)
            .layer("Linear", Dtype.INT8)
            .strict(false);
    options.forEach(config::backendKwarg);
    return config.build();
  }

  private TuningRequest.Builder request() {
    return TuningRequest.builder(
            RecipeRequest.builder().calibration(CalibrationConfig.of(data)).build())
        .output(folder.resolve("out"))
        .onFound(found -> events.add("found " + (found.best() != null)));
  }

  private TuningResult tune(TuningRequest.Builder request, Map<String, Object> options) {
    return tuning()
        .tune(List.of(new Recipe(config(options), "Because.", Map.of())), request.build());
  }

  private static String reason(TuningResult result) {
    return Objects.requireNonNull(result.recipe()).reason();
  }

  static Stream<RuntimeException> failures() {
    return Stream.of(
        new KvantException("the ink has run out"),
        new UncheckedIOException(new IOException("the disk is full")),
        new IllegalStateException("this cannot happen"));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void keeps_what_it_found_where_the_artifact_cannot_be_written(RuntimeException exception) {
    failure = exception;

    TuningResult result = tune(request(), Map.of());

    assertThat(result.failure()).isSameAs(exception);
    assertThat(result.saved()).isNull();
    assertThat(result.best()).isNotNull();
    assertThat(reason(result)).contains("the best within the budget");
    assertThat(events).containsExactly("found true");
  }

  @Test
  void tells_what_it_found_before_it_writes_the_artifact() {
    TuningResult result = tune(request(), Map.of());

    assertThat(events).containsExactly("found true", "saved");
    assertThat(result.saved()).isNotNull();
    assertThat(result.failure()).isNull();
  }

  @Test
  void writes_no_artifact_where_what_it_found_cannot_be_kept() {
    var full = new IllegalStateException("no room");

    TuningResult result =
        tune(
            request()
                .onFound(
                    found -> {
                      throw full;
                    }),
            Map.of());

    assertThat(result.failure()).isSameAs(full);
    assertThat(events).isEmpty();
    assertThat(result.best()).isNotNull();
  }

  @Test
  void an_interrupt_before_the_first_trial_leaves_an_empty_result() {
    // Two samples guide the search and two are held out: two batches.
    runsUntilInterrupt = 2;

    TuningResult result = tune(request(), Map.of());

    assertThat(Thread.interrupted()).isTrue();
    assertThat(result.trials()).isEmpty();
    assertThat(result.complete()).isFalse();
    assertThat(result.best()).isNull();
    assertThat(result.nearest()).isNull();
    assertThat(result.recipe()).isNull();
    assertThat(result.saved()).isNull();
    assertThat(events).containsExactly("found false");
  }

  @Test
  void refuses_a_folder_that_is_a_file_before_it_reads_data() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "x");

    assertThatThrownBy(() -> tune(request().output(file), Map.of()))
        .isInstanceOf(KvantException.class)
        .hasMessageStartingWith("the folder %s cannot be made".formatted(file));
    assertThat(samples.opened).isZero();
  }

  @Test
  void refuses_to_replace_the_model_before_it_reads_data() {
    assertThatThrownBy(() -> tune(request().output(folder), Map.of()))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("the artifact would replace");
    assertThat(samples.opened).isZero();
  }

  @Test
  void leaves_no_folder_where_nothing_is_within_the_budget() {
    TuningResult result =
        tune(request().budget(new TuningBudget(null, null, null, 1L, null)), Map.of());

    assertThat(result.best()).isNull();
    assertThat(result.miss()).isEqualTo("500 bytes, more than 1");
    assertThat(folder.resolve("out")).doesNotExist();
  }

  @Test
  void reads_its_data_once() {
    TuningResult result = tune(request(), Map.of());

    assertThat(samples.opened).isEqualTo(1);
    assertThat(result.samples()).isEqualTo(new TuningResult.Samples(4, 2, 2));
  }

  @Test
  void names_statistics_only_where_some_are_written() {
    assertThat(reason(tune(request(), Map.of()))).doesNotContain("statistics");
    assertThat(folder.resolve("out").resolve(TuningResult.STATISTICS)).doesNotExist();

    Map<String, Object> calibrated = Map.of(FakeTrials.CALIBRATED, true);
    assertThat(reason(tune(request().output(null), calibrated))).doesNotContain("statistics");
    assertThat(reason(tune(request(), calibrated)))
        .endsWith(
            " 4 of 8 samples calibrated it; their statistics are in calibration.statistics, for"
                + " 'kvant quantize --statistics'.");
    assertThat(folder.resolve("out").resolve(TuningResult.STATISTICS)).exists();
  }

  @Test
  void refuses_labels_that_are_no_classes_at_once() {
    samples.labels = Tensor.ofFloats(new float[SAMPLES], SAMPLES);

    assertThatThrownBy(() -> tune(request(), Map.of()))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("'label' must hold one integer for each sample");
    assertThat(quantizers).hasSize(1);
    assertThat(quantizers.get(0).saved()).isEmpty();
  }

  private SensitivityReport analyze(Map<String, Object> options) {
    ModelQuantizationConfig config =
        config(options).toBuilder()
            .calibration(CalibrationConfig.of(data))
            .evaluation(EvaluationConfig.of(data, SAMPLES))
            .build();
    return tuning()
        .analyze(config, new AnalysisRequest(SAMPLES, folder.resolve("groups.jsonl"), group -> {}));
  }

  @Test
  void an_analysis_has_no_use_for_labels() {
    samples.labels = Tensor.ofFloats(new float[SAMPLES], SAMPLES);

    assertThat(analyze(Map.of()).isComplete()).isTrue();
  }

  @Test
  void finished_groups_belong_to_a_version_of_the_backend_an_option_and_the_content_of_data() {
    assertThat(analyze(Map.of()).isComplete()).isTrue();
    assertThat(analyze(Map.of()).isComplete()).isTrue();

    version = "2";
    refusesFinishedGroups(Map.of());
    version = "1";
    refusesFinishedGroups(Map.of("other", "option"));
    samples.first = 2;
    refusesFinishedGroups(Map.of());
  }

  private void refusesFinishedGroups(Map<String, Object> options) {
    assertThatThrownBy(() -> analyze(options))
        .isInstanceOf(KvantException.class)
        .hasMessageContaining("belongs to the analysis of another model, spec or data");
  }
}
