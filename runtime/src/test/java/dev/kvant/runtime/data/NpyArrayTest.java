package dev.kvant.runtime.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.DataException;
import dev.kvant.api.ElementType;
import dev.kvant.api.Tensor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("An array in NumPy's format")
class NpyArrayTest {

  /** A file of {@code interop/golden/npy_cases.py}. */
  private static NpyArray open(String file) throws IOException {
    InputStream in = NpyArrayTest.class.getResourceAsStream("/npy/" + file + ".npy");
    return new NpyArray(Objects.requireNonNull(in), file);
  }

  private static Tensor whole(String file) throws IOException {
    try (NpyArray array = open(file)) {
      return array.next(100);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "float32, float32",
    "float64, float64",
    "float16, float16",
    "int16, int16",
    "int32, int32",
    "int64, int64",
    "uint8, uint8",
    "uint16, uint16",
    "uint32, uint32",
    "version2, float32",
    "version3, float32"
  })
  void is_read_in_every_type_and_version(String file, ElementType type) throws IOException {
    Tensor tensor = whole(file);

    assertThat(tensor.elementType()).isEqualTo(type);
    assertThat(tensor.shape()).containsExactly(2L, 3L);
    assertThat(tensor.toFloats()).containsExactly(0, 1, 2, 3, 100, 200);
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 20, 200})
  void that_is_damaged_leaves_nothing_open(int length) throws IOException {
    byte[] whole;
    try (InputStream in = NpyArrayTest.class.getResourceAsStream("/npy/fortran.npy")) {
      whole = Objects.requireNonNull(in).readAllBytes();
    }
    boolean[] closed = {false};
    InputStream cut =
        new ByteArrayInputStream(whole, 0, Math.min(length, whole.length - 1)) {
          @Override
          public void close() {
            closed[0] = true;
          }
        };

    assertThatThrownBy(() -> new NpyArray(cut, "cut")).isInstanceOf(DataException.class);
    assertThat(closed[0]).isTrue();
  }

  @Test
  void of_signed_bytes_keeps_their_signs() throws IOException {
    assertThat(whole("int8").toLongs()).containsExactly(-100, -99, -98, -97, 0, 100);
  }

  @Test
  void of_unsigned_64_bit_integers_is_read() throws IOException {
    assertThat(whole("uint64").toLongs()).containsExactly(0, 1, 2, 3, 100, 200);
  }

  @Test
  void of_truth_values_is_zeros_and_ones() throws IOException {
    Tensor tensor = whole("bool");

    assertThat(tensor.elementType()).isEqualTo(ElementType.BOOL);
    assertThat(tensor.toLongs()).containsExactly(0, 0, 1, 1, 1, 1);
  }

  @Test
  void in_fortran_order_is_turned() throws IOException {
    Tensor tensor = whole("fortran");

    assertThat(tensor.shape()).containsExactly(2L, 3L, 4L);
    assertThat(tensor.toFloats()[0]).isZero();
    assertThat(tensor.toFloats()[5]).isEqualTo(5);
    assertThat(tensor.toFloats()[23]).isEqualTo(23);
  }

  @Test
  void in_fortran_order_gives_its_rows_one_by_one_too() throws IOException {
    try (NpyArray array = open("fortran")) {
      assertThat(array.next(1).toFloats()).startsWith(0, 1, 2).hasSize(12);
      assertThat(array.next(1).toFloats()).startsWith(12, 13, 14).hasSize(12);
    }
  }

  @Test
  void gives_as_many_rows_as_asked_for_and_fewer_at_the_end() throws IOException {
    try (NpyArray array = open("vector")) {
      assertThat(array.shape()).containsExactly(5L);
      assertThat(array.next(3).toLongs()).containsExactly(0, 1, 2);
      assertThat(array.next(3).toLongs()).containsExactly(3, 4);
    }
  }

  @Test
  void without_rows_is_empty() throws IOException {
    assertThat(whole("no_rows").shape()).containsExactly(0L, 3L);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "scalar | scalar is a single value; its first axis must count the samples",
        "big_endian | big_endian is big-endian ('>f4'); save it little-endian",
        "objects | objects holds Python objects, which are never loaded",
        "complex | complex holds elements of type '<c8', which no tensor has",
        "text | text holds elements of type '<U1', which no tensor has",
        "records | records holds records with fields, not numbers",
        "cut | cut ends after 1 of 2 rows",
        "cut_header | cut_header ends within its header",
        "version9 | version9 is in version 9.0 of NumPy's format; 1.0, 2.0 and 3.0 can be read",
        "no_header | the header of no_header is not understood"
      })
  void is_refused_with_the_reason(String file, String reason) {
    assertThatThrownBy(() -> whole(file))
        .isInstanceOf(DataException.class)
        .hasMessageContaining(reason);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a text that is no array", ""})
  void is_told_from_other_files(String content) {
    assertThatThrownBy(
            () ->
                new NpyArray(
                    new ByteArrayInputStream(content.getBytes(StandardCharsets.UTF_8)), "x"))
        .isInstanceOf(DataException.class)
        .hasMessage("x is not an array in NumPy's format");
  }
}
