package dev.kvant.backend.modelopt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.SavedModel;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Classifiers of digits, calibrated with 256 scans, know as many of 600 others as before. */
class DigitsTest {

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "resnet_traced.pt, int8, minmax, portable",
    "resnet_traced.pt, int8, mse, cpu",
    "resnet_scripted.pt, int8, entropy, cpu",
    "resnet_scripted.pt, fp8_e4m3fn, minmax, portable",
    "transformer_traced.pt, int8, minmax, portable",
    "transformer_traced.pt, int8, entropy, portable",
    "transformer_traced.pt, int8, percentile, cpu",
    "transformer_traced.pt, fp8_e5m2, mse, cpu"
  })
  void loses_two_at_most(String model, String dtype, String algorithm, String target) {
    Path source = TestModels.digits(model);

    SavedModel saved =
        Quantization.of(source)
            .rule("*", dtype)
            .set("algorithm", algorithm)
            .option("target", target)
            .data(Data.scans(64))
            .into(folder);

    assertThat(Quantization.right(saved.artifacts().get(1).path()))
        .isGreaterThanOrEqualTo(Quantization.right(source) - 2);
  }
}
