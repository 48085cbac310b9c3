package dev.kvant.backend.modelopt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.Device;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.numerics.observer.Histogram;
import dev.kvant.numerics.observer.TensorStatistics;
import dev.kvant.spi.Observation;
import dev.kvant.spi.ProgressReporter;
import dev.kvant.torch.ScriptModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Data runs through a copy of the model that observes its modules' inputs. */
class CalibrationTest {

  private static final Path RESNET = TestModels.digits("resnet_traced.pt");

  @ParameterizedTest
  @ValueSource(ints = {256, 100, 7})
  void values_are_counted_as_a_histogram_in_java_counts_them(int batchSize) {
    Histogram expected = new Histogram();
    for (TensorBatch batch : Data.scans(256)) {
      batch.inputs().values().forEach(scans -> add(scans, expected));
    }

    TensorStatistics observed =
        of(
            observe(RESNET, Map.of("stem", Observation.DISTRIBUTION), Data.scans(batchSize)),
            "stem");

    Histogram counted = observed.histogram().orElseThrow();
    assertThat(counted.exponent()).isEqualTo(expected.exponent());
    assertThat(counted.counts()).isEqualTo(expected.counts());
    assertThat(counted.range()).isEqualTo(expected.range());
  }

  @Test
  void bins_widen_when_larger_values_come_and_keep_what_they_counted() {
    Tensor small = Tensor.ofFloats(numbers(0.001f), 2, 1, 8, 8);
    Tensor large = Tensor.ofFloats(numbers(-3000), 2, 1, 8, 8);
    Histogram expected = new Histogram();
    Stream.of(small, large).forEach(tensor -> add(tensor, expected));
    CalibrationDataset data =
        CalibrationDataset.of(List.of(TensorBatch.of(small), TensorBatch.of(large)));

    TensorStatistics observed =
        of(observe(RESNET, Map.of("stem", Observation.DISTRIBUTION), data), "stem");

    Histogram counted = observed.histogram().orElseThrow();
    assertThat(counted.exponent()).isEqualTo(expected.exponent());
    assertThat(counted.counts()).isEqualTo(expected.counts());
  }

  @ParameterizedTest
  @ValueSource(floats = {1e-38f, 0.37f, 1, 4096, 1e30f})
  void values_at_the_ends_of_bins_and_too_small_for_a_normal_number_are_counted_as_in_java(
      float largest) {
    var random = new Random(1);
    float[] values = new float[64 * 4500];
    for (int i = 0; i < values.length; i++) {
      float width = Math.scalb(1f, Math.max(-126, Math.getExponent(largest) - 11));
      float edge = width * (random.nextInt(8191) - 4095);
      values[i] =
          switch (i % 8) {
            case 0 -> edge;
            case 1 -> Math.nextUp(edge);
            case 2 -> Math.nextDown(edge);
            case 3 -> Float.intBitsToFloat(random.nextInt() & 0x807FFFFF);
            case 4 -> -0f;
            case 5 -> 0f;
            default -> largest * (float) random.nextGaussian() / 8;
          };
      values[i] = Math.max(-largest, Math.min(largest, values[i]));
    }
    Tensor scans = Tensor.ofFloats(values, values.length / 64, 1, 8, 8);
    Histogram expected = new Histogram();
    add(scans, expected);

    TensorStatistics observed =
        of(
            observe(
                RESNET,
                Map.of("stem", Observation.DISTRIBUTION),
                CalibrationDataset.of(List.of(TensorBatch.of(scans)))),
            "stem");

    Histogram counted = observed.histogram().orElseThrow();
    assertThat(counted.exponent()).isEqualTo(expected.exponent());
    assertThat(counted.counts()).isEqualTo(expected.counts());
    assertThat(counted.range()).isEqualTo(expected.range());
  }

  /** Zeros, both signs, and the ends of bins. */
  private static float[] numbers(float unit) {
    float[] numbers = new float[128];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (i - 50) * unit;
    }
    numbers[3] = Math.scalb(1f, -20);
    numbers[4] = -Math.scalb(1f, -20);
    return numbers;
  }

  @Test
  void extremes_alone_are_observed_without_counting() {
    TensorStatistics observed =
        of(observe(RESNET, Map.of("stem", Observation.EXTREMES), Data.scans(64)), "stem");

    assertThat(observed.histogram()).isEmpty();
    assertThat(observed.range().min()).isZero();
    assertThat(observed.range().max()).isEqualTo(1);
  }

  @Test
  void a_module_with_a_method_for_each_call_observes_all_of_them() {
    Map<String, TensorStatistics> observed =
        observe(
            TestModels.model("mixed_traced.pt"),
            Map.of("first", Observation.DISTRIBUTION, "second", Observation.DISTRIBUTION),
            Data.tokens());

    assertThat(observed).containsOnlyKeys("first");
    assertThat(of(observed, "first").histogram().orElseThrow().total())
        .isEqualTo(2 * 3 * 4 * 12 * 16);
  }

  @ParameterizedTest
  @ValueSource(strings = {"low.linear", "brain.linear"})
  void inputs_of_half_precision_are_observed(String module) {
    Map<String, TensorStatistics> observed =
        observe(
            TestModels.model("mixed.pt"), Map.of(module, Observation.DISTRIBUTION), Data.tokens());

    assertThat(of(observed, module).histogram().orElseThrow().total()).isPositive();
  }

  @Test
  void a_module_whose_parent_gives_it_a_weight_observes_the_other_tensor() {
    Map<String, TensorStatistics> observed =
        observe(
            TestModels.model("tied_traced.pt"),
            Map.of("head", Observation.DISTRIBUTION),
            Data.tokens());

    assertThat(of(observed, "head").histogram().orElseThrow().total()).isEqualTo(3 * 4 * 12 * 16);
  }

  @Test
  void the_copy_of_the_model_is_gone_while_data_runs() {
    Set<Path> before = copies();
    CalibrationDataset data =
        () -> {
          assertThat(before).containsAll(copies());
          return Data.scans(64).iterator();
        };

    observe(RESNET, Map.of("stem", Observation.EXTREMES), data);
  }

  private static Set<Path> copies() {
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return files
          .filter(file -> file.getFileName().toString().startsWith(Calibration.PREFIX))
          .collect(Collectors.toSet());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void data_that_is_not_finite_is_named_with_its_batch() {
    assertRefused(Data.constant(Float.NaN, 2, 1, 8, 8))
        .withMessageContaining("batch 1: input 'input' is NaN at index 0");
  }

  @ParameterizedTest
  @EnumSource(Observation.class)
  void values_that_are_not_finite_are_left_out_and_counted_where_the_data_says_so(
      Observation observation) {
    float[] values = numbers(0.5f);
    TensorBatch finite = TensorBatch.of(Tensor.ofFloats(values.clone(), 2, 1, 8, 8));
    float[] more = Arrays.copyOf(values, 2 * values.length);
    more[values.length] = Float.NaN;
    more[values.length + 1] = Float.NEGATIVE_INFINITY;
    Arrays.fill(more, values.length + 2, more.length, values[0]);

    TensorStatistics observed =
        of(
            observe(
                RESNET,
                Map.of("stem", observation),
                Data.ignoring(TensorBatch.of(Tensor.ofFloats(more, 4, 1, 8, 8)))),
            "stem");

    TensorStatistics expected =
        of(
            observe(RESNET, Map.of("stem", observation), CalibrationDataset.of(List.of(finite))),
            "stem");
    assertThat(observed.ignored()).isEqualTo(2);
    assertThat(observed.range()).isEqualTo(expected.range());
    observed
        .histogram()
        .ifPresent(counted -> assertThat(counted.total()).isEqualTo(more.length - 2));
    assertThat(observed.histogram().isPresent()).isEqualTo(observation == Observation.DISTRIBUTION);
  }

  @Test
  void an_activation_that_is_not_finite_is_named_with_its_module_and_batch() {
    assertRefused(Data.constant(Float.MAX_VALUE, 2, 1, 8, 8))
        .withMessageContaining("batch 1: the input of module '")
        .withMessageContaining("the model or this batch of the data is not sound");
  }

  @Test
  void inputs_that_the_model_rejects_are_told_with_batch_shape_and_reason() {
    assertRefused(Data.constant(1, 2, 3, 8, 8))
        .withMessageStartingWith("batch 1: " + RESNET + " cannot run on ")
        .withMessageContaining("[2, 3, 8, 8]")
        .withMessageContaining("channels");
  }

  @Test
  void no_data_is_an_error() {
    assertRefused(CalibrationDataset.of(List.of()))
        .withMessageContaining("the calibration data is empty");
  }

  private static org.assertj.core.api.ThrowableAssertAlternative<CalibrationException>
      assertRefused(CalibrationDataset data) {
    return assertThatExceptionOfType(CalibrationException.class)
        .isThrownBy(
            () ->
                observe(
                    RESNET,
                    Map.of("stem", Observation.EXTREMES, "head.3", Observation.EXTREMES),
                    data));
  }

  private static Map<String, TensorStatistics> observe(
      Path file, Map<String, Observation> levels, CalibrationDataset data) {
    try (ScriptModel model = TestModels.script(file)) {
      PreparedModel prepared = Quantization.of(file).rule("*", "int8").prepare(model);
      var progress = new ProgressReporter(QuantizationListener.NONE, "calibrate", -1, "batches");
      return new Calibration(model, PlannedModule.of(model, prepared.plan()), Device.CPU, progress)
          .observe(levels, data);
    }
  }

  private static TensorStatistics of(Map<String, TensorStatistics> observed, String module) {
    return Objects.requireNonNull(observed.get(module), module);
  }

  private static void add(Tensor tensor, Histogram histogram) {
    histogram.add(FloatBuffer.wrap(tensor.toFloats()), 0);
  }
}
