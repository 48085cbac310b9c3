package dev.kvant.backend.modelopt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.KvantException;
import dev.kvant.api.Progress;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
  void what_was_ignored_is_counted_in_a_warning_and_refused_where_it_should_be() {
    float[] values = new float[2 * 64];
    values[0] = 1;
    values[5] = Float.NaN;
    TensorBatch batch = TensorBatch.of(Tensor.ofFloats(values, 2, 1, 8, 8));
    String warning = "calibration ignored values that are NaN or infinite: 1 of 'stem'";

    for (int run = 0; run < 2; run++) {
      SavedModel saved = stem().data(Data.ignoring(batch)).into(folder.resolve("out"));
      assertThat(saved.report().warnings())
          .extracting(QuantizationWarning::message)
          .contains(warning);
    }

    assertRefused(
        stem().data(CalibrationDataset.of(List.of(batch))),
        "was made with non_finite: ignore, and values left out");
  }

  private Quantization stem() {
    return Quantization.of(RESNET)
        .rule("stem", "int8")
        .option("calibration_cache", cache.toString());
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

    assertRefused(
        linears(RESNET).data(Data.constant(1, 2, 1, 8, 8)),
        "was made with other data, or with the same in other batches");
  }

  @Test
  void a_file_of_something_else_is_refused_and_kept() throws IOException {
    Files.writeString(cache, "something else, longer than what every cache begins with");

    assertRefused(
        linears(RESNET).data(Data.scans(64)),
        "is not a valid statistics file: it does not begin as one; remove it");
    assertThat(cache).hasContent("something else, longer than what every cache begins with");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 10, 30, 300, 70_000})
  void a_cache_that_is_cut_short_is_refused(int bytes) throws IOException {
    linears(RESNET).data(Data.scans(64)).into(folder);
    Files.write(cache, Arrays.copyOf(Files.readAllBytes(cache), bytes));

    assertRefused(linears(RESNET).data(Data.scans(64)), "it is cut short");
  }

  @Test
  void a_cache_with_a_changed_count_or_more_behind_its_end_is_refused() throws IOException {
    linears(RESNET).data(Data.scans(64)).into(folder);
    byte[] whole = Files.readAllBytes(cache);
    byte[] changed = whole.clone();
    changed[whole.length / 2] ^= 1;

    Files.write(cache, changed);
    assertRefused(linears(RESNET).data(Data.scans(64)), "it is damaged");
    Files.write(cache, Arrays.copyOf(whole, whole.length + 1));
    assertRefused(linears(RESNET).data(Data.scans(64)), "it is damaged");
    Files.write(cache, whole);
    linears(RESNET).data(Data.scans(64)).into(folder);
  }

  @Test
  void folders_on_the_way_to_a_cache_are_made_and_go_again_if_nothing_was_observed() {
    cache = folder.resolve("made/for/it/observed.cache");

    assertThatExceptionOfType(CalibrationException.class)
        .isThrownBy(
            () -> linears(RESNET).data(Data.constant(1, 2, 3, 8, 8)).into(folder.resolve("out")))
        .withMessageContaining("batch 1");
    assertThat(folder.resolve("made")).doesNotExist();

    linears(RESNET).data(Data.scans(64)).into(folder);
    assertThat(cache).isRegularFile();
  }

  @Test
  void no_data_runs_for_a_cache_that_has_no_place() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    cache = file.resolve("observed.cache");
    CalibrationDataset untouched =
        () -> {
          throw new AssertionError("data was asked for");
        };

    assertThatExceptionOfType(KvantException.class)
        .isThrownBy(() -> linears(RESNET).data(untouched).into(folder.resolve("refused")))
        .withMessage(
            "the statistics file %s cannot be written: the folder %s cannot be made: %s is a file",
            cache, file, file);
  }

  @Test
  void the_report_says_of_each_module_that_the_cache_knew_it() {
    SavedModel first = linears(RESNET).data(Data.scans(64)).into(folder);
    SavedModel second = linears(RESNET).data(Data.scans(64)).into(folder);

    assertThat(notes(first)).noneMatch(note -> note.contains("known from"));
    assertThat(notes(second)).hasSize(2).allMatch(note -> note.contains("known from " + cache));
  }

  private static List<String> notes(SavedModel saved) {
    return saved.report().modules().stream()
        .flatMap(module -> Optional.ofNullable(module.note()).stream())
        .toList();
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
