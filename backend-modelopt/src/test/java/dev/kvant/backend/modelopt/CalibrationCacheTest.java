package dev.kvant.backend.modelopt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.api.CalibrationException;
import dev.kvant.api.Progress;
import dev.kvant.api.QuantizationListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What was observed once serves further runs, and only those that would observe the same. */
class CalibrationCacheTest {

  private static final Path RESNET = TestModels.digits("resnet_traced.pt");

  @TempDir private Path folder;
  private Path cache = Path.of("");

  @BeforeEach
  void nameFile() {
    cache = folder.resolve("observed.cache");
  }

  @Test
  void another_algorithm_needs_no_second_run_and_gives_what_a_run_would_give() throws IOException {
    linears(RESNET).data(Data.scans(64)).into(folder.resolve("first"));
    List<String> items = new ArrayList<>();
    Path cached = folder.resolve("cached");
    Path fresh = folder.resolve("fresh");

    linears(RESNET)
        .set("algorithm", "mse")
        .listener(
            new QuantizationListener() {
              @Override
              public void onProgress(Progress progress) {
                if (progress.step().equals("calibrate")) {
                  items.add(progress.item());
                }
              }
            })
        .data(Data.scans(64))
        .into(cached);
    Quantization.of(RESNET)
        .rule("Linear", "int8")
        .set("algorithm", "mse")
        .data(Data.scans(64))
        .into(fresh);

    assertThat(items).hasSize(5).last().asString().endsWith("known from the cache");
    assertThat(cached.resolve("quantized_model_modelopt.pt"))
        .hasSameBinaryContentAs(fresh.resolve("quantized_model_modelopt.pt"));
  }

  @Test
  void a_cache_of_another_model_is_refused() {
    linears(RESNET).data(Data.scans(64)).into(folder);

    assertRefused(
        linears(TestModels.digits("resnet_scripted.pt")).data(Data.scans(64)),
        "was made with another model file");
  }

  @Test
  void a_cache_of_another_plan_is_refused() {
    linears(RESNET).data(Data.scans(64)).into(folder);

    assertRefused(
        linears(RESNET).rule("stem", "int8").data(Data.scans(64)),
        "was made with another plan, which did not observe stem");
  }

  @Test
  void a_cache_of_other_data_is_refused() {
    linears(RESNET).data(Data.scans(64)).into(folder);

    assertRefused(linears(RESNET).data(Data.constant(1, 2, 1, 8, 8)), "was made with other data");
  }

  @Test
  void a_file_of_something_else_is_refused_and_kept() throws IOException {
    Files.writeString(cache, "something else");

    assertRefused(
        linears(RESNET).data(Data.scans(64)),
        "is no calibration cache that can be read: it is cut short; remove it");
    assertThat(cache).hasContent("something else");
  }

  private Quantization linears(Path model) {
    return Quantization.of(model)
        .rule("Linear", "int8")
        .option("calibration_cache", cache.toString());
  }

  private void assertRefused(Quantization quantization, String why) {
    assertThatExceptionOfType(CalibrationException.class)
        .isThrownBy(() -> quantization.into(folder.resolve("refused")))
        .withMessageContaining(cache.toString())
        .withMessageContaining(why);
    assertThat(folder.resolve("refused")).doesNotExist();
  }
}
