package dev.kvant.runtime.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.api.DataConfig;
import dev.kvant.api.DataException;
import dev.kvant.api.Device;
import dev.kvant.api.ElementType;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.EvaluationGates;
import dev.kvant.api.InputDescription;
import dev.kvant.api.LabelKind;
import dev.kvant.api.Progress;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.data.DataReaders;
import dev.kvant.runtime.data.NumpyReaderProvider;
import dev.kvant.spi.ModelRunner;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("An evaluation")
class EvaluatorTest {

  private static final DataReaders READERS = new DataReaders(List.of(new NumpyReaderProvider()));

  @TempDir private Path folder;
  private Path data = Path.of("");
  private Path modelFile = Path.of("");

  /** Five samples: inputs (0,1) (2,3) (4,5) (6,7) (8,9), labels 0 to 4. */
  @BeforeEach
  void copyFiles() throws IOException {
    data = copy("pairs.npz");
    modelFile = Files.writeString(folder.resolve("model"), "1234567");
  }

  private Path copy(String resource) throws IOException {
    Path file = folder.resolve(resource);
    try (InputStream in = EvaluatorTest.class.getResourceAsStream("/npy/" + resource)) {
      Files.copy(Objects.requireNonNull(in), file);
    }
    return file;
  }

  /** A model that makes of each batch what a function does. */
  private record FunctionRunner(
      InputDescription input, Function<TensorBatch, Map<String, Tensor>> function)
      implements ModelRunner {

    @Override
    public List<InputDescription> inputs() {
      return List.of(input);
    }

    @Override
    public Map<String, Tensor> run(TensorBatch batch) {
      return function.apply(batch);
    }

    @Override
    public void close() {}
  }

  private EvaluatedModel model(Function<TensorBatch, Map<String, Tensor>> function) {
    return model(InputDescription.of("input"), function);
  }

  private EvaluatedModel model(
      InputDescription input, Function<TensorBatch, Map<String, Tensor>> function) {
    return new EvaluatedModel(
        modelFile, List.of(modelFile), "fake", new FunctionRunner(input, function));
  }

  /** Gives its inputs back, of which there must be four. */
  private EvaluatedModel fourAtOnce() {
    return model(
        InputDescription.of("input", ElementType.FLOAT32, List.of(4L, 2L)),
        batch -> {
          assertThat(input(batch).shape()).containsExactly(4L, 2L);
          return output(input(batch).toFloats(), 4, 2);
        });
  }

  private static Tensor input(TensorBatch batch) {
    return Objects.requireNonNull(batch.inputs().get("input"));
  }

  private static Map<String, Tensor> output(float[] values, long... shape) {
    return Map.of("output", Tensor.ofFloats(values, shape));
  }

  /** Gives its inputs back, each changed by a function. */
  private EvaluatedModel echo(Function<Float, Float> change) {
    return model(
        batch -> {
          Tensor input = input(batch);
          float[] values = input.toFloats();
          for (int i = 0; i < values.length; i++) {
            values[i] = change.apply(values[i]);
          }
          return output(values, input.shape().get(0), 2);
        });
  }

  private Evaluation evaluate(EvaluatedModel model, @Nullable EvaluatedModel reference) {
    return new Evaluator(
            READERS, EvaluationConfig.of(data, 2), Device.CPU, QuantizationListener.NONE)
        .evaluate(model, reference);
  }

  @Test
  void counts_samples_that_are_classified_as_labelled() {
    // The greatest output is always the second: class 1, right for one sample of five.
    Evaluation evaluation = evaluate(echo(x -> x), null);

    assertThat(evaluation.samples()).isEqualTo(5);
    assertThat(evaluation.model().correct()).isEqualTo(1);
    assertThat(evaluation.top1(evaluation.model())).isEqualTo(0.2);
    assertThat(evaluation.similarity()).isNull();
  }

  @Test
  void takes_the_first_of_equal_outputs() {
    assertThat(evaluate(echo(x -> 0f), null).model().correct()).isEqualTo(1);
  }

  @Test
  void counts_outputs_that_are_not_numbers_as_wrong() {
    assertThat(evaluate(echo(x -> Float.NaN), null).model().correct()).isZero();
  }

  @Test
  void says_how_large_all_files_of_the_model_are_and_how_long_a_batch_takes() throws IOException {
    Path tensors = Files.writeString(folder.resolve("tensors"), "12345");
    ModelScore score =
        evaluate(
                new EvaluatedModel(
                    modelFile,
                    List.of(modelFile, tensors),
                    "fake",
                    new FunctionRunner(
                        InputDescription.of("input"), batch -> Map.of("output", input(batch)))),
                null)
            .model();

    assertThat(score.bytes()).isEqualTo(7 + 5);
    assertThat(score.latencyMillis()).isPositive();
  }

  @Test
  void of_a_model_beside_itself_finds_them_the_same() {
    OutputSimilarity similarity =
        Objects.requireNonNull(evaluate(echo(x -> x), echo(x -> x)).similarity());

    assertThat(similarity.cosineMean()).isEqualTo(1);
    assertThat(similarity.cosineMin()).isEqualTo(1);
    assertThat(similarity.sqnrDecibels()).isInfinite();
  }

  @Test
  void measures_noise_in_decibels() {
    // Every output is 1 % too large, so the noise is 40 dB below the signal.
    OutputSimilarity similarity =
        Objects.requireNonNull(evaluate(echo(x -> 1.01f * x), echo(x -> x)).similarity());

    assertThat(similarity.sqnrDecibels()).isCloseTo(40, within(1e-4));
    assertThat(similarity.cosineMin()).isCloseTo(1, within(1e-9));
  }

  @Test
  void finds_the_sample_that_differs_most() {
    // Only the sample (0, 1) turns into (1, 0), at a right angle to what it was.
    OutputSimilarity similarity =
        Objects.requireNonNull(evaluate(echo(x -> x < 2 ? 1 - x : x), echo(x -> x)).similarity());

    assertThat(similarity.cosineMin()).isZero();
    assertThat(similarity.cosineMean()).isCloseTo(0.8, within(1e-12));
  }

  @Test
  void does_not_hide_outputs_that_are_not_numbers() {
    OutputSimilarity similarity =
        Objects.requireNonNull(evaluate(echo(x -> Float.NaN), echo(x -> x)).similarity());

    assertThat(similarity.cosineMean()).isNaN();
    assertThat(similarity.cosineMin()).isNaN();
    assertThat(similarity.sqnrDecibels()).isNaN();
  }

  @Test
  void counts_the_samples_that_a_model_gives_no_numbers_for() {
    // The samples (4,5) and (8,9).
    Evaluation evaluation =
        evaluate(
            echo(x -> x == 5 ? Float.NaN : x == 8 ? Float.NEGATIVE_INFINITY : x), echo(x -> x));

    assertThat(evaluation.model().notFinite()).isEqualTo(2);
    assertThat(Objects.requireNonNull(evaluation.reference()).notFinite()).isZero();
    assertThat(evaluation.notFinite()).isZero();
  }

  @Test
  void counts_all_samples_of_a_batch_whose_output_does_not_tell_them_apart() throws IOException {
    data = copy("float32.npy");
    EvaluatedModel sum = model(batch -> output(new float[] {Float.NaN}, 1, 1));

    Evaluation evaluation = evaluate(sum, null);

    assertThat(evaluation.model().notFinite()).isEqualTo(evaluation.samples());
  }

  @Test
  void of_outputs_that_are_all_zero_finds_them_alike_only_among_themselves() {
    assertThat(
            Objects.requireNonNull(evaluate(echo(x -> 0f), echo(x -> 0f)).similarity())
                .cosineMean())
        .isEqualTo(1);
    assertThat(
            Objects.requireNonNull(evaluate(echo(x -> 0f), echo(x -> x)).similarity()).cosineMean())
        .isZero();
  }

  @Test
  void fills_the_batches_of_a_model_that_takes_a_fixed_number_and_counts_no_repeats() {
    Evaluation evaluation = evaluate(fourAtOnce(), echo(x -> x));

    assertThat(evaluation.samples()).isEqualTo(5);
    assertThat(evaluation.batchSize()).isEqualTo(4);
    assertThat(evaluation.model().correct()).isEqualTo(1);
    assertThat(Objects.requireNonNull(evaluation.similarity()).sqnrDecibels()).isInfinite();
  }

  @Test
  void takes_the_fixed_number_of_the_reference_where_the_model_has_none() {
    Evaluation evaluation = evaluate(echo(x -> x), fourAtOnce());

    assertThat(evaluation.batchSize()).isEqualTo(4);
    assertThat(evaluation.samples()).isEqualTo(5);
  }

  @Test
  void measures_no_noise_of_repeats() {
    // Rows 2 to 4 of the last batch, which hold no sample, are wrong by far.
    EvaluatedModel wrong =
        model(
            InputDescription.of("input", ElementType.FLOAT32, List.of(4L, 2L)),
            batch -> {
              float[] values = input(batch).toFloats();
              for (int i = 2; i < 8 && values[2] == values[0]; i++) {
                values[i] = Float.NaN;
              }
              return output(values, 4, 2);
            });

    Evaluation evaluation = evaluate(wrong, fourAtOnce());

    assertThat(Objects.requireNonNull(evaluation.similarity()).sqnrDecibels()).isInfinite();
    assertThat(evaluation.model().notFinite()).isZero();
  }

  @Test
  void compares_outputs_that_do_not_tell_samples_apart() throws IOException {
    data = copy("float32.npy");
    EvaluatedModel sum = model(batch -> output(new float[] {3, 4, 0}, 3));
    EvaluatedModel other = model(batch -> output(new float[] {3, 4, 5}, 3));

    OutputSimilarity similarity = Objects.requireNonNull(evaluate(other, sum).similarity());

    assertThat(similarity.cosineMin()).isCloseTo(Math.sqrt(0.5), within(1e-12));
    assertThat(similarity.sqnrDecibels()).isCloseTo(0, within(1e-12));
  }

  @Test
  void converts_data_to_the_type_of_the_input_and_says_so() throws IOException {
    data = copy("float64.npy");
    List<String> warnings = new ArrayList<>();
    QuantizationListener listener =
        new QuantizationListener() {
          @Override
          public void onWarning(QuantizationWarning warning) {
            warnings.add(warning.message());
          }
        };
    EvaluatedModel strict =
        model(
            InputDescription.of("pixels", ElementType.FLOAT32, List.of(-1L, 3L)),
            batch -> {
              assertThat(input(batch).elementType()).isEqualTo(ElementType.FLOAT32);
              return output(input(batch).toFloats(), 2, 3);
            });

    new Evaluator(READERS, EvaluationConfig.of(data, 2), Device.CPU, listener)
        .evaluate(strict, null);

    assertThat(warnings)
        .containsExactly(
            "'input' is converted from float64 to float32, the type of the model's input; no value"
                + " changes");
  }

  @Test
  void refuses_to_compare_outputs_of_different_shapes() throws IOException {
    data = copy("float32.npy");
    EvaluatedModel narrow = model(batch -> output(new float[2], 2, 1));
    EvaluatedModel wide = model(batch -> output(new float[4], 2, 2));

    assertThatThrownBy(() -> evaluate(narrow, wide))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessage(
            "the model's outputs have the shapes [[2, 1]] and the reference's [[2, 2]], so they"
                + " cannot be compared");
  }

  private Evaluation evaluate(
      LabelKind labels,
      EvaluationGates gates,
      EvaluatedModel model,
      @Nullable EvaluatedModel reference) {
    return new Evaluator(
            READERS,
            new EvaluationConfig(DataConfig.of(data), 2, labels, gates),
            Device.CPU,
            QuantizationListener.NONE)
        .evaluate(model, reference);
  }

  @Test
  void of_data_without_the_labels_that_are_asked_for_says_so() throws IOException {
    data = copy("float32.npy");
    EvaluationGates top5 = EvaluationGates.NONE.withMinTop5(0.5);

    assertThatThrownBy(() -> evaluate(LabelKind.BOXES, EvaluationGates.NONE, echo(x -> x), null))
        .isInstanceOf(DataException.class)
        .hasMessage(data + " has no tensor 'label', which labels: boxes and its gates need");
    assertThatThrownBy(() -> evaluate(LabelKind.CLASSES, top5, echo(x -> x), null))
        .isInstanceOf(DataException.class)
        .hasMessage(data + " has no tensor 'label', which labels: classes and its gates need");
  }

  @Test
  void says_which_gates_are_not_passed() {
    Evaluation evaluation = evaluate(echo(x -> x), echo(x -> x));

    assertThat(evaluation.failed(EvaluationGates.NONE.withMinTop1(0.2).withMinCosine(0.99)))
        .isEmpty();
    assertThat(
            evaluation.failed(
                EvaluationGates.NONE
                    .withMinTop1(0.21)
                    .withMinTop5(0.1)
                    .withMinMap(0.1)
                    .withMaxCer(0.1)))
        .containsExactly(
            "top-1 is 0.200000, less than 0.21",
            "top-5 is not known, for a gate of 0.1",
            "mAP is not known, for a gate of 0.1",
            "CER is not known, for a gate of 0.1");
    assertThat(evaluate(echo(x -> x), null).failed(EvaluationGates.NONE.withMinCosine(0.9)))
        .containsExactly("the mean cosine is not known, for a gate of 0.9");
  }

  @Test
  void of_labelled_data_needs_one_output_for_each_class() {
    EvaluatedModel flat = model(batch -> output(new float[] {1, 2}, 2));

    assertThatThrownBy(() -> evaluate(flat, null))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("[samples, classes]");
  }

  @Test
  void of_a_model_without_outputs_says_so() {
    assertThatThrownBy(() -> evaluate(model(batch -> Map.of()), null))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessage(modelFile + " has no outputs");
  }

  @Test
  void of_data_with_labels_only_says_so() throws IOException {
    data = copy("only_label.npz");

    assertThatThrownBy(() -> evaluate(echo(x -> x), null))
        .isInstanceOf(DataException.class)
        .hasMessage(data + " has no array but 'label'");
  }

  @Test
  void of_no_samples_says_so() throws IOException {
    data = copy("no_rows.npy");

    assertThatThrownBy(() -> evaluate(echo(x -> x), null))
        .isInstanceOf(DataException.class)
        .hasMessage(data + " has no samples");
  }

  @Test
  void of_no_samples_at_once_is_refused() {
    EvaluationConfig nothing = EvaluationConfig.of(data, 0);

    assertThatThrownBy(() -> new Evaluator(READERS, nothing, Device.CPU, QuantizationListener.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("batchSize: must be at least 1, was 0");
  }

  @Test
  void reports_its_progress() {
    List<Progress> heard = new ArrayList<>();
    QuantizationListener listener =
        new QuantizationListener() {
          @Override
          public void onProgress(Progress progress) {
            heard.add(progress);
          }
        };
    new Evaluator(READERS, EvaluationConfig.of(data, 2), Device.CPU, listener)
        .evaluate(echo(x -> x), null);

    assertThat(heard).extracting(Progress::done).containsExactly(0L, 2L, 4L, 5L);
  }

  @Test
  void ends_when_its_thread_is_interrupted() {
    EvaluatedModel interrupting =
        model(
            batch -> {
              Thread.currentThread().interrupt();
              return output(new float[4], 2, 2);
            });

    assertThatThrownBy(() -> evaluate(interrupting, null))
        .isInstanceOf(QuantizationCancelledException.class);
    assertThat(Thread.interrupted()).isTrue();
  }
}
