package dev.kvant.runtime.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.api.CalibrationException;
import dev.kvant.numerics.observer.Gram;
import dev.kvant.numerics.observer.TensorObserver;
import dev.kvant.numerics.observer.TensorStatistics;
import dev.kvant.runtime.Kvant;
import dev.kvant.spi.CalibrationStatistics;
import dev.kvant.spi.Observation;
import dev.kvant.tck.NamedPipe;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StatisticsFileTest {

  @TempDir private Path folder;

  private static Optional<TensorStatistics> observed(TensorObserver observer) {
    Random random = new Random(1);
    float[] values = new float[3 * 2000];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    observer.observe(FloatBuffer.wrap(values), 0, 3);
    return observer.statistics();
  }

  private static StatisticsFile file() {
    return new StatisticsFile(
        "model",
        List.of("data"),
        new CalibrationStatistics(
            Map.of(
                "channels", observed(TensorObserver.ofChannels()),
                "distribution", observed(TensorObserver.ofDistribution()),
                "products",
                    observed(TensorObserver.ofChannels()).map(each -> each.with(sums(false))),
                "squares", observed(TensorObserver.ofChannels()).map(each -> each.with(sums(true))),
                "extremes", observed(TensorObserver.ofExtremes()),
                "never", Optional.empty())));
  }

  private static Gram sums(boolean isDiagonal) {
    Gram gram = isDiagonal ? Gram.ofSquares(3) : Gram.ofProducts(3);
    gram.observe(new float[] {1, 2, 3, 4, 5, 6});
    return gram;
  }

  @Test
  void gives_back_all_that_was_observed() {
    Path file = folder.resolve("statistics");
    file().write(file);

    StatisticsFile read = StatisticsFile.read(file);

    assertThat(read).isEqualTo(file());
    assertThat(read.statistics().tells("channels", Observation.CHANNELS)).isTrue();
    assertThat(read.statistics().tells("distribution", Observation.CHANNELS)).isFalse();
    assertThat(read.statistics().tells("channels", Observation.SQUARES)).isFalse();
    assertThat(read.statistics().tells("squares", Observation.SQUARES)).isTrue();
    assertThat(read.statistics().tells("squares", Observation.PRODUCTS)).isFalse();
    assertThat(read.statistics().tells("products", Observation.PRODUCTS)).isTrue();
    assertThat(read.statistics().tells("distribution", Observation.DISTRIBUTION)).isTrue();
    assertThat(read.statistics().tells("extremes", Observation.DISTRIBUTION)).isFalse();
    assertThat(read.statistics().tells("never", Observation.CHANNELS)).isTrue();
  }

  @Test
  void a_file_cut_anywhere_is_refused() throws IOException {
    Path file = folder.resolve("statistics");
    file().write(file);
    byte[] bytes = Files.readAllBytes(file);
    for (int length : new int[] {5, 40, 70_000, bytes.length / 2, bytes.length - 1}) {
      Path cut = Files.write(folder.resolve("cut"), Arrays.copyOf(bytes, length));
      assertThatExceptionOfType(CalibrationException.class)
          .isThrownBy(() -> StatisticsFile.read(cut))
          .withMessageContaining("is not a valid statistics file");
    }
  }

  @Test
  void refuses_a_pipe() throws Exception {
    Path pipe = NamedPipe.create(folder.resolve("pipe.statistics"));

    assertThat(NamedPipe.assertRefused(pipe, () -> StatisticsFile.read(pipe)))
        .contains(pipe + " ", "it is a pipe, a device or a socket");
  }

  private Path written(String name, StatisticsFile statistics) {
    Path file = folder.resolve(name);
    statistics.write(file);
    return file;
  }

  @Test
  void merges_files_in_stages_as_at_once() {
    Path a = written("a", file().withData("a"));
    Path b = written("b", file().withData("b"));
    Path c = written("c", file().withData("c"));
    Path ab = folder.resolve("ab");
    Kvant.mergeStatistics(List.of(a, b), ab);
    Path stages = folder.resolve("stages");
    Kvant.mergeStatistics(List.of(ab, c), stages);
    Path once = folder.resolve("once");

    Kvant.mergeStatistics(List.of(a, b, c), once);

    assertThat(once).hasSameBinaryContentAs(stages);
    assertThat(StatisticsFile.read(once).data()).containsExactly("a", "b", "c");
  }

  @Test
  void refuses_to_merge_statistics_of_two_models_or_of_the_same_data() {
    Path a = written("a", file());
    Path other = written("other", file().withData("b").withModel("other"));
    Path merged = folder.resolve("merged");

    assertThatExceptionOfType(CalibrationException.class)
        .isThrownBy(() -> Kvant.mergeStatistics(List.of(a, other), merged))
        .withMessage(
            "%s was made with another model file than the statistics before it; calibrate one model on all data"
                .formatted(other));
    assertThatExceptionOfType(CalibrationException.class)
        .isThrownBy(() -> Kvant.mergeStatistics(List.of(a, a), merged))
        .withMessageContaining("would count twice");
    assertThatExceptionOfType(CalibrationException.class)
        .isThrownBy(() -> Kvant.mergeStatistics(List.of(), merged))
        .withMessage("no statistics file is given");
    assertThat(merged).doesNotExist();
  }
}
