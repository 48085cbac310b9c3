package dev.kvant.integration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("Engines on ONNX Runtime in one process")
class EnginesInOneProcessTest {

  /** DJL fails if the environment exists before it; ONNX Runtime warns if it is named twice. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "kvant djl kvant | kvant 10, djl 10, kvant 10",
        "djl kvant djl | djl 10, kvant 10, djl 10",
        "kvant plain | kvant 10, plain 1",
        "plain kvant | plain 1, kvant 10"
      })
  void work_whoever_comes_first_and_without_a_warning(String order, String expected)
      throws Exception {
    OwnProcess process = OwnProcess.run(EnginesInOneProcess.class.getName(), order.split(" ", -1));

    assertThat(
            process
                .output()
                .lines()
                .filter(line -> !line.startsWith("SLF4J") && !line.contains(" ai.djl.")))
        .containsExactly(expected.split(", ", -1));
    assertThat(process.exitCode()).isZero();
  }
}
