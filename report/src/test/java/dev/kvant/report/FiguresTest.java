package dev.kvant.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FiguresTest {

  @ParameterizedTest
  @CsvSource({
    "0, 0 B",
    "999, 999 B",
    "1000, 1.00 kB",
    "9994, 9.99 kB",
    "9996, 10.0 kB",
    "99940, 99.9 kB",
    "99951, 100 kB",
    "999499, 999 kB",
    "999500, 1.00 MB",
    "4210000, 4.21 MB",
    "8000000000, 8.00 GB",
    "9223372036854775807, 9223372 TB"
  })
  void a_size_has_three_digits_and_a_unit(long bytes, String text) {
    assertThat(Figures.bytes(bytes)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({"1, 1.000000", "0.9999999, 0.999999", "0.99615, 0.996150", "-0.5, -0.500000"})
  void a_cosine_is_1_only_of_equal_outputs(double cosine, String text) {
    assertThat(Figures.cosine(cosine)).isEqualTo(text);
  }
}
