package dev.kvant.maven;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("A limit on the size")
class SizeLimitTest {

  @ParameterizedTest
  @CsvSource({
    "1000, 1000",
    "1000B, 1000",
    "1.5kB, 1500",
    "2 MB, 2000000",
    "1GB, 1000000000",
    "1KiB, 1024",
    "3MiB, 3145728",
    "1GiB, 1073741824",
    "25%, 1000",
    "0.5%, 20"
  })
  void allows_that_many_bytes_and_not_one_more(String limit, long most) {
    assertThat(SizeLimit.of(limit).fault(most, 4000)).isEmpty();
    assertThat(SizeLimit.of(limit).fault(most + 1, 4000)).isPresent();
  }

  @Test
  void says_how_large_the_artifacts_are() {
    assertThat(SizeLimit.of("30%").fault(2_000_000, 4_000_000))
        .contains(
            "the artifacts have 2,000,000 bytes, 50.0 % of the original's 4,000,000; the maximum is"
                + " 30%");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "MB", "-1MB", "1TB", "25 percent", "1,5MB"})
  void refuses_other_forms(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SizeLimit.of(text))
        .withMessageContaining("is not a size; write it as 25MB, 24MiB or 30%");
  }
}
