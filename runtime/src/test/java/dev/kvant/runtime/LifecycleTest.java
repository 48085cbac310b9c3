package dev.kvant.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.Dtype;
import dev.kvant.api.FinishedStep;
import dev.kvant.api.FinishedStep.Outcome;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.QuantizedModel;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LifecycleTest {

  private static final CalibrationDataset DATA =
      CalibrationDataset.of(List.of(TensorBatch.of(Tensor.ofFloats(new float[] {1}, 1))));

  private final List<QuantizationWarning> heard = new ArrayList<>();
  private final QuantizationListener listener = warningsInto(heard);

  private final FakeModel model = new FakeModel().with("fc", "Linear");

  private ModelQuantizer quantizer(FakeBackend backend, ModelQuantizationConfig config) {
    return Kvant.builder()
        .withoutDiscovery()
        .backend(backend)
        .listener(listener)
        .build()
        .quantizer(config);
  }

  private static ModelQuantizationConfig.Builder config() {
    return ModelQuantizationConfig.builder().backend("fake").layer("Linear", Dtype.INT8);
  }

  private static ModelQuantizationConfig staticConfig() {
    return config().mode(QuantizationMode.STATIC_PTQ).build();
  }

  @Test
  void quantizeModel_prepares_and_quantizes() {
    FakeBackend backend = FakeBackend.weightOnly("fake");
    try (ModelQuantizer quantizer = quantizer(backend, config().build())) {
      QuantizedModel quantized = quantizer.quantizeModel(model);
      assertThat(quantized.plan().quantized()).hasSize(1);
      assertThat(backend.calls()).containsExactly("begin", "quantize");
    }
  }

  @Test
  void quantizeModel_calibrates_with_data_a_calibratable_backend_and_static_mode() {
    FakeBackend backend = FakeBackend.calibratable("fake");
    try (ModelQuantizer quantizer = quantizer(backend, staticConfig())) {
      quantizer.quantizeModel(model, DATA);
      assertThat(backend.calls()).containsExactly("begin", "observe", "use", "quantize");
      assertThat(heard).isEmpty();
    }
  }

  @Test
  void weights_alone_are_calibrated_where_the_descriptor_requires_data() {
    FakeBackend backend = FakeBackend.observingForWeights("fake");
    ModelQuantizationConfig weightOnly = config().mode(QuantizationMode.WEIGHT_ONLY_PTQ).build();
    try (ModelQuantizer quantizer = quantizer(backend, weightOnly)) {
      quantizer.quantizeModel(model, DATA);
      assertThat(backend.calls()).containsExactly("begin", "observe", "use", "quantize");
      assertThat(heard).isEmpty();
    }
  }

  @Test
  void weights_alone_are_an_error_without_the_data_that_the_descriptor_requires() {
    FakeBackend backend = FakeBackend.observingForWeights("fake");
    ModelQuantizationConfig weightOnly = config().mode(QuantizationMode.WEIGHT_ONLY_PTQ).build();
    try (ModelQuantizer quantizer = quantizer(backend, weightOnly)) {
      assertThatThrownBy(() -> quantizer.quantizeModel(model))
          .isInstanceOf(CalibrationException.class)
          .hasMessage(
              "backend 'fake' in weight_only_ptq requires calibration data to quantize the weights"
                  + " of 1 modules; give some with --calibration or calibration.path, or leave"
                  + " these modules native");
      assertThat(backend.calls()).containsExactly("begin");
    }
  }

  @Test
  void no_data_is_required_for_a_plan_that_quantizes_nothing() {
    FakeBackend backend = FakeBackend.observingForWeights("fake");
    ModelQuantizationConfig weightOnly =
        config().mode(QuantizationMode.WEIGHT_ONLY_PTQ).strict(false).build();
    try (ModelQuantizer quantizer = quantizer(backend, weightOnly)) {
      quantizer.quantizeModel(new FakeModel().with("norm", "LayerNorm"));
      assertThat(backend.calls()).containsExactly("begin", "quantize");
    }
  }

  @Test
  void quantizeModel_leaves_data_unused_when_only_weights_are_quantized_and_says_so() {
    FakeBackend backend = FakeBackend.calibratable("fake");
    ModelQuantizationConfig weightOnly = config().mode(QuantizationMode.WEIGHT_ONLY_PTQ).build();
    try (ModelQuantizer quantizer = quantizer(backend, weightOnly)) {
      quantizer.quantizeModel(model, DATA);
      assertThat(backend.calls()).containsExactly("begin", "quantize");
      assertThat(heard)
          .extracting(QuantizationWarning::message)
          .containsExactly(
              "calibration data is not used: backend 'fake' calibrates nothing in weight_only_ptq");
    }
  }

  @Test
  void calibrate_does_nothing_but_warn_when_the_backend_has_nothing_to_calibrate() {
    FakeBackend backend = FakeBackend.weightOnly("fake");
    try (ModelQuantizer quantizer = quantizer(backend, config().build())) {
      PreparedModel prepared = quantizer.prepare(model);
      quantizer.calibrate(prepared, DATA);
      assertThat(backend.calls()).containsExactly("begin");
      assertThat(heard)
          .singleElement()
          .extracting(QuantizationWarning::kind)
          .isEqualTo(QuantizationWarning.Kind.CALIBRATION);
    }
  }

  @Test
  void quantize_without_a_prepared_model_says_to_prepare_first() {
    try (ModelQuantizer quantizer = quantizer(FakeBackend.weightOnly("fake"), config().build())) {
      assertThatThrownBy(quantizer::quantize)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("nothing is prepared; call prepare(model) first");
    }
  }

  @Test
  void quantize_takes_the_last_prepared_model() {
    try (ModelQuantizer quantizer = quantizer(FakeBackend.weightOnly("fake"), config().build())) {
      quantizer.prepare(new FakeModel().with("first", "Linear"));
      quantizer.prepare(new FakeModel().with("second", "Linear"));
      assertThat(quantizer.quantize().plan().module("second")).isPresent();
    }
  }

  @Test
  void saveModel_without_a_quantized_model_says_to_quantize_first() {
    ModelQuantizationConfig config = config().resultsDir(Path.of("results")).build();
    try (ModelQuantizer quantizer = quantizer(FakeBackend.weightOnly("fake"), config)) {
      quantizer.prepare(model);
      assertThatThrownBy(quantizer::saveModel)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("nothing is quantized; call quantize() first");
    }
  }

  @Test
  void saveModel_without_any_folder_says_how_to_give_one() {
    try (ModelQuantizer quantizer = quantizer(FakeBackend.weightOnly("fake"), config().build())) {
      quantizer.quantizeModel(model);
      assertThatThrownBy(quantizer::saveModel)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("results_dir");
    }
  }

  @Test
  void warnings_of_a_report_are_told_once_for_each_model(@TempDir Path folder) {
    QuantizationWarning late = warning("known after the work");
    QuantizationWarning early = warning("told by the backend too");
    FakeBackend backend = FakeBackend.weightOnly("fake").warns(late).warns(early).tells(early);
    ModelQuantizationConfig config = config().layer("Conv9d", Dtype.INT8).strict(false).build();
    try (ModelQuantizer quantizer = quantizer(backend, config)) {
      quantizer.saveModel(quantizer.quantizeModel(model), folder);
      List<QuantizationWarning> first = List.copyOf(heard);
      heard.clear();
      quantizer.saveModel(quantizer.quantizeModel(model), folder);

      assertThat(first).hasSize(3).endsWith(early, late);
      assertThat(first.get(0).message()).contains("Conv9d");
      assertThat(heard).isEqualTo(first);
    }
  }

  private static QuantizationWarning warning(String message) {
    return new QuantizationWarning(QuantizationWarning.Kind.OTHER, message, null, List.of());
  }

  @Test
  void saveModel_saves_the_last_quantized_model_into_the_results_folder() {
    FakeBackend backend = FakeBackend.weightOnly("fake");
    ModelQuantizationConfig config = config().resultsDir(Path.of("results")).build();
    try (ModelQuantizer quantizer = quantizer(backend, config)) {
      quantizer.quantizeModel(model);
      SavedModel saved = quantizer.saveModel();
      assertThat(saved.artifacts().get(0).path()).isEqualTo(Path.of("results", "fake.out"));
      assertThat(backend.calls()).endsWith("save results");
    }
  }

  @Test
  void prepare_refuses_a_model_that_was_quantized_before() {
    try (ModelQuantizer quantizer = quantizer(FakeBackend.weightOnly("fake"), config().build())) {
      FakeModel artifact =
          new FakeModel().with("fc", "Linear").writtenAs(quantizer.prepare(model).plan());

      assertThatThrownBy(() -> quantizer.prepare(artifact))
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessage(
              "fake.model is quantized already, by backend 'fake' in weight_only_ptq; start from"
                  + " the model that it was made of");
    }
  }

  @Test
  void prepare_refuses_a_model_that_another_tool_has_quantized_before_it_looks_at_rules() {
    ModelQuantizationConfig pointless =
        ModelQuantizationConfig.builder().backend("fake").layer("nothing", Dtype.INT8).build();
    try (ModelQuantizer quantizer = quantizer(FakeBackend.weightOnly("fake"), pointless)) {
      FakeModel other = new FakeModel().with("fc", "Linear").quantizedBy("acme: 'fc' is packed");

      assertThatThrownBy(() -> quantizer.prepare(other))
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessage(
              "fake.model is quantized already, by acme: 'fc' is packed; start from the model that"
                  + " it was made of");
    }
  }

  @Test
  void a_model_in_which_nothing_was_quantized_may_be_quantized() {
    ModelQuantizationConfig nothing = config().skip("*").build();
    try (ModelQuantizer quantizer = quantizer(FakeBackend.weightOnly("fake"), config().build());
        ModelQuantizer idle = quantizer(FakeBackend.weightOnly("fake"), nothing)) {
      FakeModel copy = new FakeModel().with("fc", "Linear").writtenAs(idle.prepare(model).plan());

      assertThat(quantizer.prepare(copy).plan().quantized()).hasSize(1);
    }
  }

  @Test
  void a_model_is_not_replaced_by_its_own_artifact(@TempDir Path folder) throws IOException {
    FakeModel source = new FakeModel().with("fc", "Linear").source(folder.resolve("fake.out"));
    Files.writeString(source.source(), "trained");
    Path sameFolder = folder.resolve("..").resolve(folder.getFileName());
    ModelQuantizationConfig config = config().resultsDir(sameFolder).build();
    String message =
        "the artifact would replace the model %s itself; save into another folder"
            .formatted(source.source());
    try (ModelQuantizer early = quantizer(FakeBackend.weightOnly("fake"), config);
        ModelQuantizer late = quantizer(FakeBackend.weightOnly("fake"), config().build())) {
      QuantizedModel quantized = late.quantizeModel(source);

      assertThatThrownBy(() -> early.prepare(source)).hasMessage(message);
      assertThatThrownBy(() -> late.saveModel(quantized, folder))
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessage(message);
    }
  }

  @Test
  void a_model_that_is_no_file_cannot_be_replaced(@TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("fake.out"), "older");
    try (ModelQuantizer quantizer = quantizer(FakeBackend.weightOnly("fake"), config().build())) {
      QuantizedModel quantized = quantizer.quantizeModel(new FakeModel().with("fc", "Linear"));

      assertThatCode(() -> quantizer.saveModel(quantized, folder)).doesNotThrowAnyException();
    }
  }

  @Test
  void prepare_refuses_a_format_that_the_backend_does_not_take_and_lists_those_it_does() {
    try (ModelQuantizer quantizer = quantizer(FakeBackend.weightOnly("fake"), config().build())) {
      assertThatThrownBy(() -> quantizer.prepare(new FakeModel().format("onnx")))
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessage(
              "fake.model is a model of format 'onnx', which backend 'fake' does not take; it"
                  + " takes fake");
    }
  }

  @Test
  void prepare_takes_a_model_that_stands_for_a_format_of_the_backend() {
    FakeBackend backend = FakeBackend.weightOnly("fake");
    try (ModelQuantizer quantizer = quantizer(backend, config().build())) {
      FakeModel model = new FakeModel().format("npz").compatibleWith("fake").with("fc", "Linear");

      assertThat(quantizer.prepare(model).plan().modules()).hasSize(1);
    }
  }

  @Test
  void prepare_says_what_a_backend_knows_to_do_about_a_format() {
    try (ModelQuantizer quantizer = quantizer(FakeBackend.weightOnly("fake"), config().build())) {
      assertThatThrownBy(() -> quantizer.prepare(new FakeModel().format("halves")))
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessageEndingWith("it takes fake; put them together");
    }
  }

  @Test
  void closing_twice_is_harmless_and_leaves_the_callers_model_open() {
    FakeBackend backend = FakeBackend.weightOnly("fake");
    ModelQuantizer quantizer = quantizer(backend, config().build());
    quantizer.quantizeModel(model);
    quantizer.close();
    quantizer.close();
    assertThat(backend.calls()).containsExactly("begin", "quantize", "close");
    assertThat(model.timesClosed()).isZero();
  }

  @Test
  void a_closed_quantizer_says_that_it_is_closed() {
    ModelQuantizer quantizer = quantizer(FakeBackend.weightOnly("fake"), config().build());
    quantizer.close();
    assertThatThrownBy(() -> quantizer.prepare(model))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("this quantizer is closed");
  }

  @Test
  void an_interrupted_thread_begins_no_step_and_stays_interrupted() {
    try (ModelQuantizer quantizer = quantizer(FakeBackend.weightOnly("fake"), config().build())) {
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> quantizer.prepare(model))
          .isInstanceOf(QuantizationCancelledException.class);
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  void a_quantizers_own_listener_hears_beside_all_those_of_the_builder() {
    List<QuantizationWarning> second = new ArrayList<>();
    List<QuantizationWarning> own = new ArrayList<>();
    Kvant kvant =
        Kvant.builder()
            .withoutDiscovery()
            .backend(FakeBackend.weightOnly("fake"))
            .listener(listener)
            .listener(warningsInto(second))
            .build();
    try (ModelQuantizer quantizer = kvant.quantizer(config().build(), warningsInto(own));
        ModelQuantizer other = kvant.quantizer(config().build())) {
      quantizer.calibrate(quantizer.prepare(model), DATA);
      other.calibrate(other.prepare(model), DATA);
    }
    assertThat(heard).hasSize(2).isEqualTo(second);
    assertThat(own).hasSize(1);
  }

  @Test
  void a_listener_hears_how_each_step_ended_and_what_was_saved() {
    StepLog log = new StepLog();
    try (ModelQuantizer quantizer = kvant(log).quantizer(config().build())) {
      SavedModel saved = quantizer.saveModel(quantizer.quantizeModel(model), Path.of("results"));

      assertThat(log.steps)
          .extracting(FinishedStep::step, FinishedStep::backend, FinishedStep::outcome)
          .containsExactly(
              tuple("prepare", "fake", Outcome.DONE),
              tuple("quantize", "fake", Outcome.DONE),
              tuple("save", "fake", Outcome.DONE));
      assertThat(log.steps).allMatch(step -> !step.duration().isNegative());
      assertThat(log.saved).containsExactly(saved);
    }
  }

  @Test
  void a_listener_hears_of_a_step_that_failed() {
    StepLog log = new StepLog();
    try (ModelQuantizer quantizer = kvant(log).quantizer(config().build())) {
      assertThatThrownBy(() -> quantizer.prepare(new FakeModel().format("onnx")))
          .isInstanceOf(UnsupportedModelException.class);

      assertThat(log.steps)
          .extracting(FinishedStep::step, FinishedStep::outcome)
          .containsExactly(tuple("prepare", Outcome.FAILED));
    }
  }

  @Test
  void a_listener_hears_of_a_step_that_was_cancelled() {
    StepLog log = new StepLog();
    QuantizationListener cancelling =
        new QuantizationListener() {
          @Override
          public void onWarning(QuantizationWarning warning) {
            throw new QuantizationCancelledException("enough");
          }
        };
    try (ModelQuantizer quantizer = kvant(log).quantizer(config().build(), cancelling)) {
      PreparedModel prepared = quantizer.prepare(model);
      assertThatThrownBy(() -> quantizer.calibrate(prepared, DATA))
          .isInstanceOf(QuantizationCancelledException.class);

      assertThat(log.steps).last().extracting(FinishedStep::outcome).isEqualTo(Outcome.CANCELLED);
    }
  }

  @Test
  void what_a_listener_throws_does_not_hide_why_a_step_failed() {
    QuantizationListener broken =
        new QuantizationListener() {
          @Override
          public void onFinished(FinishedStep step) {
            throw new IllegalArgumentException("broken");
          }
        };
    try (ModelQuantizer quantizer = kvant(broken).quantizer(config().build())) {
      assertThatThrownBy(() -> quantizer.prepare(new FakeModel().format("onnx")))
          .isInstanceOf(UnsupportedModelException.class)
          .hasSuppressedException(new IllegalArgumentException("broken"));
    }
  }

  private static Kvant kvant(QuantizationListener listener) {
    return Kvant.builder()
        .withoutDiscovery()
        .backend(FakeBackend.weightOnly("fake"))
        .listener(listener)
        .build();
  }

  /** Remembers what has ended and what was written. */
  private static final class StepLog implements QuantizationListener {

    private final List<FinishedStep> steps = new ArrayList<>();
    private final List<SavedModel> saved = new ArrayList<>();

    @Override
    public void onFinished(FinishedStep step) {
      steps.add(step);
    }

    @Override
    public void onSaved(SavedModel model) {
      saved.add(model);
    }
  }

  private static QuantizationListener warningsInto(List<QuantizationWarning> list) {
    return new QuantizationListener() {
      @Override
      public void onWarning(QuantizationWarning warning) {
        list.add(warning);
      }
    };
  }
}
