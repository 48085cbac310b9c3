package dev.kvant.runtime.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.DataException;
import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Types of inputs")
class InputTypesTest {

  private final List<String> remarks = new ArrayList<>();

  private static Tensor doubles(double... values) {
    ByteBuffer data = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (double value : values) {
      data.putDouble(value);
    }
    return Tensor.of(ElementType.FLOAT64, List.of((long) values.length), data.flip());
  }

  private static Tensor ints(int... values) {
    ByteBuffer data = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int value : values) {
      data.putInt(value);
    }
    return Tensor.of(ElementType.INT32, List.of((long) values.length), data.flip());
  }

  private Tensor converted(Tensor tensor, ElementType wanted) {
    InputDescription input = InputDescription.of("x", wanted, List.of(InputDescription.FREE));
    TensorBatch batch =
        new InputTypes(List.of(input), remarks::add).convert(new TensorBatch(Map.of("x", tensor)));
    return Objects.requireNonNull(batch.inputs().get("x"));
  }

  @Test
  void that_fit_are_left_alone() {
    Tensor tensor = Tensor.ofFloats(new float[] {0.1f}, 1);

    assertThat(converted(tensor, ElementType.FLOAT32)).isSameAs(tensor);
    assertThat(remarks).isEmpty();
  }

  @Test
  void become_float32_from_float64_that_is_no_more_exact() {
    Tensor tensor =
        converted(
            doubles(0.5, -0.0, (double) 0.1f, Double.NaN, Double.NEGATIVE_INFINITY),
            ElementType.FLOAT32);

    assertThat(tensor.elementType()).isEqualTo(ElementType.FLOAT32);
    assertThat(tensor.toFloats())
        .containsExactly(0.5f, -0.0f, 0.1f, Float.NaN, Float.NEGATIVE_INFINITY);
    assertThat(remarks)
        .containsExactly(
            "'x' is converted from float64 to float32, the type of the model's input; no value"
                + " changes");
  }

  @Test
  void become_int64_from_int32() {
    assertThat(converted(ints(-1, Integer.MIN_VALUE, 7), ElementType.INT64).toLongs())
        .containsExactly(-1, Integer.MIN_VALUE, 7);
  }

  @Test
  void become_int32_from_int64_that_is_small() {
    Tensor tensor = Tensor.ofLongs(new long[] {101, Integer.MIN_VALUE, Integer.MAX_VALUE}, 3);

    assertThat(converted(tensor, ElementType.INT32).toLongs())
        .containsExactly(101, Integer.MIN_VALUE, Integer.MAX_VALUE);
  }

  @Test
  void become_float16_where_halves_have_the_values() {
    float[] values = {1, -2.5f, 65504, 0x1p-24f, 0x1.ff8p-15f, 0x1p-14f, -0.0f};

    Tensor tensor = converted(Tensor.ofFloats(values, values.length), ElementType.FLOAT16);

    assertThat(tensor.toFloats()).containsExactly(values);
  }

  @Test
  void become_bfloat16_where_it_has_the_values() {
    float[] values = {1, -2.5f, 0x1.fep127f};

    assertThat(converted(Tensor.ofFloats(values, 3), ElementType.BFLOAT16).toFloats())
        .containsExactly(values);
  }

  @Test
  void become_float32_from_bytes() {
    Tensor bytes =
        Tensor.of(ElementType.UINT8, List.of(2L), ByteBuffer.wrap(new byte[] {0, (byte) 255}));

    assertThat(converted(bytes, ElementType.FLOAT32).toFloats()).containsExactly(0, 255);
  }

  @Test
  void become_integers_from_whole_numbers() {
    assertThat(converted(doubles(3, -4), ElementType.INT64).toLongs()).containsExactly(3, -4);
  }

  @Test
  void are_refused_with_the_first_value_that_would_change() {
    assertThatThrownBy(() -> converted(doubles(0.5, 0.1), ElementType.FLOAT32))
        .isInstanceOf(DataException.class)
        .hasMessage(
            "'x' is of type float64 and the model's input of type float32, which has no 0.1 (index"
                + " 1 of a batch); save the data as float32");
    assertThat(remarks).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(longs = {1L << 31, -(1L << 31) - 1, Long.MAX_VALUE})
  void are_refused_for_integers_out_of_range(long value) {
    assertThatThrownBy(() -> converted(Tensor.ofLongs(new long[] {value}, 1), ElementType.INT32))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("which has no " + value);
  }

  @ParameterizedTest
  @ValueSource(longs = {(1L << 24) + 1, Long.MAX_VALUE, -(1L << 53) - 1})
  void are_refused_for_integers_that_floats_round(long value) {
    assertThatThrownBy(() -> converted(Tensor.ofLongs(new long[] {value}, 1), ElementType.FLOAT32))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("which has no ");
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.5, Double.NaN, Double.POSITIVE_INFINITY, 0x1p63, -0x1p64})
  void are_refused_for_integers_where_values_are_none(double value) {
    assertThatThrownBy(() -> converted(doubles(value), ElementType.INT64))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("which has no " + value);
  }

  @ParameterizedTest
  @ValueSource(doubles = {65520, 1e6, 0x1p-25, 0.1, 2049})
  void are_refused_for_halves_that_round(double value) {
    assertThatThrownBy(() -> converted(doubles(value), ElementType.FLOAT16))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("which has no ");
  }

  @Test
  void are_refused_for_truth_values_other_than_0_and_1() {
    assertThat(converted(ints(0, 1), ElementType.BOOL).toLongs()).containsExactly(0, 1);
    assertThatThrownBy(() -> converted(ints(2), ElementType.BOOL))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("which has no 2");
  }

  @Test
  void of_a_model_that_declares_none_are_left_alone() {
    Tensor tensor = doubles(0.1);
    TensorBatch batch = new TensorBatch(Map.of("x", tensor));

    assertThat(
            new InputTypes(List.of(InputDescription.of("x")), remarks::add).convert(batch).inputs())
        .containsEntry("x", tensor);
  }

  @Test
  void of_the_only_input_reach_a_tensor_called_input() {
    InputDescription pixels = InputDescription.of("pixels", ElementType.INT64, List.of(-1L));

    TensorBatch converted =
        new InputTypes(List.of(pixels), remarks::add).convert(TensorBatch.of(ints(5)));

    assertThat(Objects.requireNonNull(converted.inputs().get("input")).elementType())
        .isEqualTo(ElementType.INT64);
  }
}
