package dev.kvant.runtime.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Artifact;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.InputDescription;
import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnavailableException;
import dev.kvant.api.Verification;
import dev.kvant.api.Verification.Status;
import dev.kvant.api.VerificationConfig;
import dev.kvant.runtime.FakeModel;
import dev.kvant.spi.ModelRunner;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class VerifierTest {

  private static final Path ARTIFACT = Path.of("quantized.fake");

  private final Map<Path, UnaryOperator<Tensor>> models = new HashMap<>();
  private final Map<Path, UnaryOperator<Tensor>> unoptimized = new HashMap<>();
  private final List<Path> opened = new ArrayList<>();
  private final FakeModel model = new FakeModel();

  VerifierTest() {
    models.put(model.source(), values -> values);
  }

  @Test
  void an_artifact_that_is_like_its_source_is_verified() {
    models.put(ARTIFACT, values -> values);

    Verification verification = verify(VerificationConfig.DEFAULT);

    assertThat(verification.status()).isEqualTo(Status.VERIFIED);
    assertThat(verification.samples()).isEqualTo(2);
    assertThat(verification.sqnrByOutput()).containsOnlyKeys("output");
  }

  @Test
  void runs_as_many_samples_as_are_asked_for() {
    models.put(ARTIFACT, values -> values);

    assertThat(verify(new VerificationConfig(true, 1, null)).samples()).isEqualTo(1);
  }

  static Stream<KvantException> refusals() {
    return Stream.of(
        new CalibrationException("wants 2 samples"), new KvantException("Reshape fails"));
  }

  @ParameterizedTest
  @MethodSource("refusals")
  void a_model_of_a_fixed_batch_size_gets_the_whole_batch(KvantException refusal) {
    UnaryOperator<Tensor> fixed =
        values -> {
          if (values.shape().get(0) != 2) {
            throw refusal;
          }
          return values;
        };
    models.put(model.source(), fixed);
    models.put(ARTIFACT, fixed);

    assertThat(verify(new VerificationConfig(true, 1, null)).status()).isEqualTo(Status.VERIFIED);
  }

  @Test
  void a_source_that_fails_on_the_whole_batch_runs_once() {
    int[] runs = {0};
    models.put(
        model.source(),
        values -> {
          runs[0]++;
          throw new KvantException("Reshape fails");
        });

    assertThat(verify(VerificationConfig.DEFAULT).reason())
        .isEqualTo("the source does not run: Reshape fails");
    assertThat(runs[0]).isEqualTo(1);
  }

  @Test
  void an_artifact_that_does_not_run_is_rejected() {
    models.put(
        ARTIFACT,
        values -> {
          throw new KvantException("there is no kernel");
        });

    Verification verification = verify(VerificationConfig.DEFAULT);

    assertThat(verification.isRejected()).isTrue();
    assertThat(verification.reason()).isEqualTo("it does not load or run: there is no kernel");
  }

  @Test
  void noise_above_the_signal_is_rejected_unless_the_minimum_is_lower() {
    models.put(ARTIFACT, values -> Tensor.ofFloats(new float[] {-1, -1, -1, -1}, 2, 2));

    assertThat(verify(VerificationConfig.DEFAULT).isRejected()).isTrue();
    assertThat(verify(new VerificationConfig(true, 8, -20.0)).isRejected()).isFalse();
  }

  @Test
  void what_cannot_be_run_is_not_verified_and_the_reason_is_told() {
    models.remove(model.source());
    assertThat(verify(VerificationConfig.DEFAULT).reason()).isEqualTo("no runtime is installed");

    assertThat(verify(VerificationConfig.OFF).reason()).isEqualTo("verification is off");

    assertThat(withoutData(false).reason()).isEqualTo("no runtime is installed");
  }

  @Test
  void a_source_that_differs_from_itself_proves_nothing() {
    float[] noise = {1};
    models.put(
        model.source(),
        values -> {
          noise[0] = -noise[0];
          return Tensor.ofFloats(new float[] {noise[0], 2, 3, 4}, 2, 2);
        });
    models.put(ARTIFACT, values -> values);

    assertThat(verify(VerificationConfig.DEFAULT).reason())
        .isEqualTo("two runs of the source differ: it is not deterministic");
  }

  @Test
  void an_artifact_is_rejected_that_is_wrong_without_optimizations_alone() {
    models.put(ARTIFACT, values -> values);
    unoptimized.put(ARTIFACT, values -> Tensor.ofFloats(new float[] {-1, -2}, 1, 2));
    unoptimized.put(model.source(), values -> values);

    assertThat(verify(VerificationConfig.DEFAULT).reason())
        .isEqualTo(
            "without the runtime's optimizations, output 'output' has an SQNR of -6.0 dB, below the"
                + " minimum of 0.0 dB");

    unoptimized.put(
        ARTIFACT,
        values -> {
          throw new KvantException("there is no kernel");
        });
    assertThat(verify(VerificationConfig.DEFAULT).reason())
        .isEqualTo(
            "it does not load or run without the runtime's optimizations: there is no kernel");
  }

  @Test
  void what_the_source_cannot_do_without_optimizations_the_artifact_need_not() {
    UnaryOperator<Tensor> fails =
        values -> {
          throw new KvantException("there is no kernel");
        };
    models.put(ARTIFACT, values -> values);
    unoptimized.put(ARTIFACT, fails);
    unoptimized.put(model.source(), fails);

    assertThat(verify(VerificationConfig.DEFAULT).status()).isEqualTo(Status.VERIFIED);
  }

  @Test
  void one_sample_proves_that_an_artifact_runs_without_optimizations() {
    models.put(ARTIFACT, values -> values);
    List<Long> samples = new ArrayList<>();
    unoptimized.put(
        ARTIFACT,
        values -> {
          samples.add(values.shape().get(0));
          return values;
        });

    assertThat(verify(VerificationConfig.DEFAULT).samples()).isEqualTo(2);
    assertThat(samples).containsExactly(1L);
  }

  @Test
  void rejects_another_shape_unless_it_depends_on_values() {
    UnaryOperator<Tensor> positives =
        values -> {
          float[] all = values.toFloats();
          int count = (int) IntStream.range(0, all.length).filter(i -> all[i] > 0).count();
          return Tensor.ofFloats(new float[count], count);
        };
    models.put(ARTIFACT, values -> Tensor.ofFloats(new float[] {1, 2, 3}, 3));

    models.put(model.source(), positives);
    assertThat(verify(VerificationConfig.DEFAULT).status()).isEqualTo(Status.VERIFIED);

    models.put(
        model.source(), values -> Tensor.ofFloats(values.toFloats(), values.toFloats().length));
    assertThat(verify(VerificationConfig.DEFAULT).reason())
        .isEqualTo("output 'output' has the shape [3], and [4] in the source");
  }

  @Test
  void runs_on_made_up_values_where_there_is_no_data_and_says_so() {
    models.put(ARTIFACT, values -> values);
    model.with("fc", "Linear");

    Verification verification = withoutData(false);

    assertThat(verification.status()).isEqualTo(Status.VERIFIED);
    assertThat(verification.synthetic()).isTrue();
    assertThat(verification.samples()).isEqualTo(2);
    assertThat(verification.sqnrByOutput()).containsOnlyKeys("output");

    models.put(ARTIFACT, values -> Tensor.ofFloats(new float[] {-1, 1, -1, 1, 1, 1, 1, 1}, 2, 4));
    assertThat(withoutData(false).isRejected()).isTrue();
  }

  @Test
  void made_up_values_say_nothing_of_closeness_where_ranges_come_from_data() {
    model.with("fc", "Linear");
    models.put(ARTIFACT, values -> Tensor.ofFloats(new float[8], 2, 4));

    Verification verification = withoutData(true);

    assertThat(verification.status()).isEqualTo(Status.VERIFIED);
    assertThat(verification.sqnrByOutput()).isEmpty();

    models.put(
        ARTIFACT, values -> Tensor.ofFloats(new float[] {Float.NaN, 0, 0, 0, 0, 0, 0, 0}, 2, 4));
    assertThat(withoutData(true).isRejected()).isTrue();
  }

  @Test
  void says_why_no_values_can_be_made_up() {
    models.put(ARTIFACT, values -> values);
    assertThat(withoutData(false).reason())
        .isEqualTo(
            "there is no data to run it on, and its inputs are not known; name data under"
                + " calibration or evaluation");

    model.with("fc", "Linear");
    models.put(
        model.source(),
        values -> {
          throw new CalibrationException("wants [1, 3]");
        });
    assertThat(withoutData(false).reason())
        .isEqualTo(
            "there is no data, and the source does not run on inputs made from its signature; name"
                + " data under calibration or evaluation (wants [1, 3])");
  }

  @Test
  void the_source_is_opened_once_for_all_artifacts() {
    models.put(ARTIFACT, values -> values);
    Verifier verifier = verifier(VerificationConfig.DEFAULT);

    verifier.verify(saved());
    verifier.verify(saved());

    assertThat(opened).containsExactly(model.source(), ARTIFACT, ARTIFACT);
  }

  private Verification withoutData(boolean rangesFromData) {
    return new Verifier(
            runners(), VerificationConfig.DEFAULT, model, Optional.empty(), rangesFromData)
        .verify(saved())
        .get(0);
  }

  private Verifier verifier(VerificationConfig config) {
    TensorBatch batch = TensorBatch.of(Tensor.ofFloats(new float[] {1, 2, 3, 4}, 2, 2));
    return new Verifier(runners(), config, model, Optional.of(batch), false);
  }

  private Verification verify(VerificationConfig config) {
    List<Verification> verifications = verifier(config).verify(saved());
    assertThat(verifications).hasSize(1);
    return verifications.get(0);
  }

  private static SavedModel saved() {
    return new SavedModel(
        artifacts(),
        new QuantizationReport("fake", QuantizationMode.WEIGHT_ONLY_PTQ, List.of(), List.of()),
        List.of());
  }

  private static List<Artifact> artifacts() {
    return List.of(
        new Artifact(ARTIFACT, Artifact.Role.MODEL, "fake", 0, "A model."),
        new Artifact(Path.of("tensors"), Artifact.Role.SIDE_FILE, "fake", 0, "Its tensors."));
  }

  private RunnerSource runners() {
    return new RunnerSource() {
      @Override
      public ModelRunner open(Path path, String format) {
        UnaryOperator<Tensor> answers = models.get(path);
        opened.add(path);
        if (answers == null) {
          throw new UnavailableException("no runtime is installed");
        }
        return runner(answers);
      }

      @Override
      public Optional<ModelRunner> openUnoptimized(Path path, String format) {
        return Optional.ofNullable(unoptimized.get(path)).map(VerifierTest::runner);
      }
    };
  }

  private static ModelRunner runner(UnaryOperator<Tensor> answers) {
    return new ModelRunner() {
      @Override
      public List<InputDescription> inputs() {
        return List.of(InputDescription.of("input"));
      }

      @Override
      public Map<String, Tensor> run(TensorBatch batch) {
        return Map.of("output", answers.apply(batch.inputs().values().iterator().next()));
      }

      @Override
      public void close() {}
    };
  }
}
