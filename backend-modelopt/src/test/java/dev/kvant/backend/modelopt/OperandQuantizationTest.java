package dev.kvant.backend.modelopt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.api.QuantizationException;
import dev.kvant.kit.WeightValues;
import dev.kvant.numerics.BFloat16;
import dev.kvant.numerics.Float16;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.numerics.observer.RangeObserver;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.TorchModel;
import dev.kvant.torch.tensor.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class OperandQuantizationTest {

  static Stream<Supplier<RangeObserver>> observers() {
    return Stream.of(
        RangeObserver::minmax,
        () -> RangeObserver.percentile(99),
        RangeObserver::entropy,
        RangeObserver::meanSquaredError);
  }

  @Test
  void one_range_of_all_ends_at_the_largest_magnitude() {
    OperandQuantization range =
        range(tensor(List.of(2L, 3L), 1, -2, 0.5f, 3, -7, 6), OptionalInt.empty());

    assertThat(range.amax()).containsExactly(7);
    assertThat(range.shape()).isEmpty();
  }

  @Test
  void output_channels_of_a_convolution_have_ranges_of_their_own() {
    OperandQuantization range =
        range(tensor(List.of(3L, 1L, 2L), 1, -2, 0.5f, 3, -7, 6), OptionalInt.of(0));

    assertThat(range.amax()).containsExactly(2, 3, 7);
    assertThat(range.shape()).containsExactly(3L, 1L, 1L);
  }

  @Test
  void output_channels_of_a_transposed_convolution_are_the_second_dimension() {
    OperandQuantization range =
        range(
            tensor(List.of(2L, 3L, 2L), 1, -2, 3, 6, 1, 0, 4, 0, -5, 1, -0.5f, 1),
            OptionalInt.of(1));

    assertThat(range.amax()).containsExactly(4, 6, 1);
    assertThat(range.shape()).containsExactly(1L, 3L, 1L);
  }

  @ParameterizedTest
  @MethodSource("observers")
  void each_channel_is_seen_whole_and_alone_whatever_the_number_of_threads(
      Supplier<RangeObserver> observers) {
    // Some channels more than are observed at once, each longer than a block is.
    int channels = 70;
    int columns = 5000;
    float[] values = values(channels * columns);
    StoredTensor weight = tensor(List.of((long) channels, (long) columns), values);

    for (int threads : new int[] {1, 3}) {
      float[] amax = range(weight, OptionalInt.of(0), observers, threads).amax();

      for (int channel = 0; channel < channels; channel++) {
        RangeObserver alone = observers.get();
        alone.observe(FloatBuffer.wrap(values, channel * columns, columns), 0);
        assertThat(amax[channel])
            .as("channel %d", channel)
            .isEqualTo(alone.range(Grid.INT8_SYMMETRIC).amax());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("observers")
  void a_weight_of_many_blocks_has_the_range_that_it_has_at_once(
      Supplier<RangeObserver> observers) {
    float[] values = values(600_000);
    RangeObserver whole = observers.get();
    whole.observe(FloatBuffer.wrap(values), 0);

    for (int threads : new int[] {1, 2, 5}) {
      assertThat(
              range(tensor(List.of(600_000L), values), OptionalInt.empty(), observers, threads)
                  .amax())
          .containsExactly(whole.range(Grid.INT8_SYMMETRIC).amax());
    }
  }

  @Test
  void ranges_of_halves_are_their_exact_magnitudes() {
    float[] values = {0.1f, -0.7f, 0.3f};
    ByteBuffer halves = ByteBuffer.allocate(6).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer brains = ByteBuffer.allocate(6).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      halves.putShort(Float16.fromFloat(value));
      brains.putShort(BFloat16.fromFloat(value));
    }

    assertThat(
            range(Tensors.of(ElementType.FLOAT16, List.of(3L), halves), OptionalInt.empty()).amax())
        .containsExactly(Float16.toFloat(Float16.fromFloat(0.7f)));
    assertThat(
            range(Tensors.of(ElementType.BFLOAT16, List.of(3L), brains), OptionalInt.empty())
                .amax())
        .containsExactly(BFloat16.toFloat(BFloat16.fromFloat(0.7f)));
  }

  @ParameterizedTest
  @MethodSource("observers")
  void zeros_have_an_empty_range(Supplier<RangeObserver> observers) {
    StoredTensor zeros = tensor(List.of(2L, 2L), 0, -0f, 0, 0);

    assertThat(range(zeros, OptionalInt.empty(), observers, 1).amax()).containsExactly(0);
    assertThat(range(zeros, OptionalInt.of(0), observers, 1).amax()).containsExactly(0, 0);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 1})
  void an_element_that_is_no_number_is_named(int axis) {
    float[] values = values(4 * 3 * 2);
    values[2 * 6 + 3] = Float.NaN;

    assertThatThrownBy(
            () ->
                range(
                    tensor(List.of(4L, 3L, 2L), values),
                    axis < 0 ? OptionalInt.empty() : OptionalInt.of(axis)))
        .isInstanceOf(QuantizationException.class)
        .hasMessageContaining("'conv.weight' cannot be quantized: element [2, 1, 1] is NaN");
  }

  @Test
  void an_interrupt_ends_the_search() {
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> range(tensor(List.of(1L), 1), OptionalInt.empty()))
        .isInstanceOf(QuantizationCancelledException.class);
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void ranges_of_output_channels_are_those_that_modelopt_finds() {
    try (ScriptModel model = TestModels.script(TestModels.model("mixed.pt"));
        TorchModel saved = TestModels.open(TestModels.golden("mixed.pth"))) {
      List<String> compared = new ArrayList<>();
      for (ModuleDescription module : model.modules()) {
        Optional<ModuleKind> kind = ModuleKind.of(module.types());
        if (kind.isPresent()) {
          OperandQuantization range =
              range(
                  model.tensor(module.name(), "weight").orElseThrow(),
                  OptionalInt.of(kind.get().outputAxis()));
          StoredTensor expected =
              saved.tensor(module.name() + ".weight_quantizer", "_amax").orElseThrow();

          // ModelOpt has no dimensions left where there is but one channel.
          if (expected.elements() > 1) {
            assertThat(range.shape()).as(module.name()).isEqualTo(expected.shape());
          }
          assertThat(range.amax()).as(module.name()).isEqualTo(floats(expected));
          compared.add(module.name());
        }
      }
      assertThat(compared).contains("conv", "back", "first", "low.linear", "brain.linear");
    }
  }

  private static float[] floats(StoredTensor tensor) {
    ByteBuffer bytes = ByteBuffer.allocate((int) tensor.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    tensor.read(0, bytes);
    bytes.flip();
    float[] values = new float[(int) tensor.elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (tensor.elementType().label()) {
            case "float16" -> Float16.toFloat(bytes.getShort());
            case "bfloat16" -> BFloat16.toFloat(bytes.getShort());
            default -> bytes.getFloat();
          };
    }
    return values;
  }

  private static OperandQuantization range(StoredTensor weight, OptionalInt axis) {
    return range(weight, axis, RangeObserver::minmax, 2);
  }

  private static OperandQuantization range(
      StoredTensor weight, OptionalInt axis, Supplier<RangeObserver> observers, int threads) {
    return OperandQuantization.of(
        new WeightValues("conv.weight", weight), Grid.INT8_SYMMETRIC, axis, observers, threads);
  }

  private static float[] values(int count) {
    var random = new Random(5);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static StoredTensor tensor(List<Long> shape, float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return Tensors.of(ElementType.FLOAT32, shape, bytes);
  }
}
