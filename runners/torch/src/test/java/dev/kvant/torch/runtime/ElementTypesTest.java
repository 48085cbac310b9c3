package dev.kvant.torch.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.CalibrationException;
import dev.kvant.api.ElementType;
import dev.kvant.api.KvantException;
import dev.kvant.api.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tensors go in and come out bit for bit. */
class ElementTypesTest {

  private static final Path ECHO = Models.resource("echo.pt");

  static List<ElementType> notPassed() {
    return List.of(
        ElementType.FLOAT8_E4M3FN,
        ElementType.FLOAT8_E5M2,
        ElementType.INT16,
        ElementType.UINT16,
        ElementType.UINT32,
        ElementType.UINT64);
  }

  static List<ElementType> passed() {
    return ElementType.standard().stream()
        .filter(type -> type.blockElements() == 1 && !notPassed().contains(type))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("passed")
  void a_tensor_comes_back_as_it_went_in(ElementType type) {
    ByteBuffer bytes = ByteBuffer.allocate(6 * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < bytes.capacity(); i++) {
      bytes.put(i, (byte) (type.equals(ElementType.BOOL) ? i % 2 : i * 37 + 1));
    }
    Tensor tensor = Tensor.of(type, List.of(2L, 3L), bytes);

    Tensor answer = Models.answer(ECHO, tensor);

    assertThat(answer.elementType()).isEqualTo(type);
    assertThat(answer.shape()).containsExactly(2L, 3L);
    assertThat(answer.data()).isEqualTo(tensor.data());
  }

  @ParameterizedTest
  @MethodSource("notPassed")
  void a_type_that_cannot_be_passed_is_named_with_the_input(ElementType type) {
    Tensor tensor = Tensor.of(type, List.of(1L), ByteBuffer.allocate(type.bytes()));

    assertThatThrownBy(() -> Models.answer(ECHO, tensor))
        .isInstanceOf(CalibrationException.class)
        .hasMessageStartingWith(
            "input 'x' is of type %s, which cannot be passed to libtorch; convert it to one of"
                .formatted(type));
  }

  @Test
  void a_scalar_has_no_dimensions() {
    Tensor answer = Models.answer(ECHO, Tensor.ofFloats(new float[] {7}));

    assertThat(answer.shape()).isEmpty();
    assertThat(answer.toFloats()).containsExactly(7);
  }

  @Test
  void a_tensor_without_elements_keeps_its_shape() {
    Tensor answer = Models.answer(ECHO, Tensor.ofFloats(new float[0], 0, 3));

    assertThat(answer.shape()).containsExactly(0L, 3L);
    assertThat(answer.elements()).isZero();
  }

  @Test
  void special_bfloat16_values_survive() {
    short[] bits = {0x7F80, (short) 0xFF80, (short) 0x8000, 0x0001, 0x7F7F, 0x3F80};
    ByteBuffer bytes = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
    for (short bit : bits) {
      bytes.putShort(bit);
    }
    Tensor tensor = Tensor.of(ElementType.BFLOAT16, List.of(6L), bytes.flip());

    assertThat(Models.answer(ECHO, tensor).data()).isEqualTo(tensor.data());
  }

  @Test
  void a_bfloat16_output_is_read() {
    Tensor answer =
        Models.answer(Models.resource("narrow.pt"), Tensor.ofFloats(new float[] {1, -2}, 2));

    assertThat(answer.elementType()).isEqualTo(ElementType.BFLOAT16);
    assertThat(answer.data().getShort(0)).isEqualTo((short) 0x3F80);
    assertThat(answer.data().getShort(2)).isEqualTo((short) 0xC000);
  }

  @Test
  void a_model_computes_in_bfloat16() {
    ByteBuffer bytes = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 12; i++) {
      bytes.putShort(bfloat16(-1 + 2f * i / 11));
    }
    Tensor answer =
        Models.answer(
            Models.resource("bfloat16_linear.pt"),
            Tensor.of(ElementType.BFLOAT16, List.of(3L, 4L), bytes.flip()));

    float[] expected = Models.floats("bfloat16_linear.bin", 3L, 2L).toFloats();
    for (int i = 0; i < expected.length; i++) {
      assertThat(answer.data().getShort(2 * i)).isEqualTo(bfloat16(expected[i]));
    }
  }

  @Test
  void an_output_of_a_type_that_cannot_be_read_is_named() {
    Path float8 = Models.resource("float8.pt");

    assertThatThrownBy(() -> Models.answer(float8, Tensor.ofFloats(new float[] {1}, 1)))
        .isInstanceOf(KvantException.class)
        .hasMessageContaining("output 'output' is a tensor of libtorch's scalar type 24");
  }

  /** The nearest bfloat16, halves to even, of a finite value. */
  private static short bfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
  }
}
