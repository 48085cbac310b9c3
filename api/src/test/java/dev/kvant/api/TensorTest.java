package dev.kvant.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ReadOnlyBufferException;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A tensor")
class TensorTest {

  @Test
  void gives_back_the_values_it_was_made_of() {
    Tensor tensor = Tensor.ofFloats(new float[] {1.5f, -2, Float.NaN, 4, 5, 6}, 2, 3);

    assertThat(tensor.shape()).containsExactly(2L, 3L);
    assertThat(tensor.elementType()).isEqualTo(ElementType.FLOAT32);
    assertThat(tensor.toFloats()).containsExactly(1.5f, -2, Float.NaN, 4, 5, 6);
  }

  @Test
  void is_not_changed_by_a_change_of_the_array_it_was_made_of() {
    float[] values = {1, 2};
    Tensor tensor = Tensor.ofFloats(values, 2);

    values[0] = 9;

    assertThat(tensor.toFloats()).containsExactly(1, 2);
  }

  @Test
  void refuses_data_that_does_not_fill_its_shape() {
    assertThatThrownBy(() -> Tensor.of(ElementType.INT32, List.of(2L, 3L), ByteBuffer.allocate(23)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("data: expected 24 bytes for shape [2, 3] of int32, but got 23");
  }

  @Test
  void refuses_a_negative_dimension() {
    assertThatThrownBy(() -> Tensor.of(ElementType.INT8, List.of(-1L), ByteBuffer.allocate(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("-1");
  }

  @Test
  void of_no_dimensions_holds_one_value() {
    assertThat(Tensor.ofLongs(new long[] {7}).elements()).isEqualTo(1);
  }

  @Test
  void of_an_empty_dimension_holds_no_value() {
    assertThat(Tensor.ofFloats(new float[0], 3, 0).toFloats()).isEmpty();
  }

  @Test
  void reads_unsigned_bytes_as_positive_numbers() {
    Tensor tensor = Tensor.of(ElementType.UINT8, List.of(2L), ByteBuffer.wrap(new byte[] {-1, 1}));

    assertThat(tensor.toFloats()).containsExactly(255, 1);
    assertThat(tensor.toLongs()).containsExactly(255, 1);
  }

  @Test
  void reads_float16_exactly() {
    short[] bits = {0x3C00, (short) 0xC000, 0x0001, 0x03FF, 0x0400, 0x7BFF, 0x7C00, (short) 0x8000};

    assertThat(ofBits(ElementType.FLOAT16, bits).toFloats())
        .containsExactly(
            1, -2, 0x1p-24f, 0x3FFp-24f, 0x1p-14f, 65504, Float.POSITIVE_INFINITY, -0.0f);
    assertThat(ofBits(ElementType.FLOAT16, new short[] {0x7E00}).toFloats()[0]).isNaN();
  }

  @Test
  void reads_bfloat16_exactly() {
    short[] bits = {0x3F80, (short) 0xC000, 0x0001, 0x7F80};

    assertThat(ofBits(ElementType.BFLOAT16, bits).toFloats())
        .containsExactly(1, -2, 0x1p-133f, Float.POSITIVE_INFINITY);
  }

  private static Tensor ofBits(ElementType type, short[] bits) {
    ByteBuffer data = ByteBuffer.allocate(2 * bits.length).order(ByteOrder.LITTLE_ENDIAN);
    data.asShortBuffer().put(bits);
    return Tensor.of(type, List.of((long) bits.length), data);
  }

  @Test
  void of_floating_point_numbers_has_no_integer_view() {
    assertThatThrownBy(() -> Tensor.ofFloats(new float[] {1}, 1).toLongs())
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessage("expected an integer tensor, but got float32");
  }

  @Test
  void lends_its_data_for_reading_only() {
    assertThatThrownBy(() -> Tensor.ofFloats(new float[] {1}, 1).data().put((byte) 0))
        .isInstanceOf(ReadOnlyBufferException.class);
  }
}
