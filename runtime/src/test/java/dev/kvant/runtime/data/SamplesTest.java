package dev.kvant.runtime.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.DataException;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Samples on disk")
class SamplesTest {

  private static final DataReaders READERS = new DataReaders(List.of(new NumpyReaderProvider()));

  @TempDir private Path folder;

  /** A copy of a file of {@code interop/golden/npy_cases.py}. */
  private Path copy(String resource, String name) throws IOException {
    Path file = folder.resolve(name);
    try (InputStream in = SamplesTest.class.getResourceAsStream("/npy/" + resource)) {
      Files.copy(Objects.requireNonNull(in), file);
    }
    return file;
  }

  private static Tensor tensor(Map<String, Tensor> tensors, String name) {
    return Objects.requireNonNull(tensors.get(name));
  }

  /** The batches of a data set, each with its label. */
  private static List<Map<String, Tensor>> all(Path path, int size) {
    List<Map<String, Tensor>> all = new ArrayList<>();
    try (InputBatches batches = batches(path, size)) {
      for (var next = batches.next(); next.isPresent(); next = batches.next()) {
        Map<String, Tensor> tensors = new TreeMap<>(next.get().inputs().inputs());
        Tensor label = next.get().label();
        if (label != null) {
          tensors.put("label", label);
        }
        all.add(tensors);
      }
    }
    return all;
  }

  private static InputBatches batches(Path path, int size) {
    return InputBatches.open(READERS, EvaluationConfig.of(path, size), List.of(), remark -> {});
  }

  private static CalibrationFiles calibration(CalibrationConfig.Builder config) {
    return new CalibrationFiles(READERS, config.build(), List.of(), remark -> {});
  }

  @ParameterizedTest
  @ValueSource(strings = {"pairs.npz", "compressed.npz"})
  void of_an_archive_come_in_batches_with_all_arrays_in_step(String resource) throws IOException {
    List<Map<String, Tensor>> batches = all(copy(resource, "data"), 2);

    assertThat(batches).hasSize(3);
    assertThat(tensor(batches.get(1), "input").toFloats()).containsExactly(4, 5, 6, 7);
    assertThat(tensor(batches.get(1), "label").toLongs()).containsExactly(2, 3);
    assertThat(tensor(batches.get(2), "input").shape()).containsExactly(1L, 2L);
  }

  @Test
  void that_are_not_read_to_their_end_can_be_closed() throws Exception {
    Iterator<TensorBatch> batches =
        calibration(CalibrationConfig.builder(copy("pairs.npz", "data")).batchSize(2)).iterator();
    batches.next();
    assertThat(batches).hasNext();

    assertThat(batches).isInstanceOf(AutoCloseable.class);
    ((AutoCloseable) batches).close();

    assertThat(batches.hasNext()).isFalse();
  }

  @Test
  void of_a_single_array_are_called_input() throws IOException {
    List<Map<String, Tensor>> batches = all(copy("vector.npy", "data.bin"), 10);

    assertThat(batches).hasSize(1);
    assertThat(tensor(batches.get(0), "input").toLongs()).containsExactly(0, 1, 2, 3, 4);
  }

  @Test
  void of_a_folder_fill_batches_across_its_files_in_the_order_of_names() throws IOException {
    copy("pairs.npz", "b.npz");
    copy("pairs.npz", "a.npz");
    copy("float32.npy", "ignored.txt");

    List<Map<String, Tensor>> batches = all(folder, 4);

    assertThat(batches).hasSize(3);
    assertThat(tensor(batches.get(1), "label").toLongs()).containsExactly(4, 0, 1, 2);
    assertThat(tensor(batches.get(1), "input").shape()).containsExactly(4L, 2L);
    assertThat(tensor(batches.get(2), "label").toLongs()).containsExactly(3, 4);
  }

  @Test
  void of_a_folder_must_be_alike_in_all_files() throws IOException {
    copy("float32.npy", "a.npy");
    copy("float64.npy", "b.npy");

    assertThatThrownBy(() -> all(folder, 4))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("b.npy holds float64, and files before it float32");
  }

  @Test
  void of_a_folder_come_apart_where_their_shape_changes() throws IOException {
    copy("pairs.npz", "a.npz");
    copy("pairs.npz", "b.npz");
    copy("triples.npz", "c.npz");
    copy("pairs.npz", "d.npz");

    List<Map<String, Tensor>> batches = all(folder, 8);

    assertThat(batches)
        .extracting(batch -> tensor(batch, "input").shape())
        .containsExactly(List.of(8L, 2L), List.of(2L, 2L), List.of(4L, 3L), List.of(5L, 2L));
  }

  @Test
  void of_a_folder_must_have_the_same_arrays_in_all_files() throws IOException {
    copy("pairs.npz", "a.npz");
    copy("only_label.npz", "b.npz");

    assertThatThrownBy(() -> all(folder, 10))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("b.npz has the arrays [label], and files before it [input, label]");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "uneven.npz | differ in length: 'a' has 5 samples, 'b' has 4",
        "empty.npz | there is no array in",
        "cut.npz | is damaged",
        "neither.npz | is neither an .npz nor an .npy file"
      })
  void of_a_bad_file_are_refused_with_the_reason(String resource, String reason)
      throws IOException {
    Path file = copy(resource, resource);

    assertThatThrownBy(() -> batches(file, 1))
        .isInstanceOf(DataException.class)
        .hasMessageContaining(reason)
        .hasMessageContaining(file.toString());
  }

  @Test
  void that_are_not_there_are_missed_by_name() {
    assertThatThrownBy(() -> batches(folder.resolve("nothing.npz"), 1))
        .isInstanceOf(DataException.class)
        .hasMessage("the data " + folder.resolve("nothing.npz") + " does not exist");
  }

  @Test
  void of_an_empty_folder_are_missed_with_what_could_be_in_it() {
    assertThatThrownBy(() -> batches(folder, 1))
        .isInstanceOf(DataException.class)
        .hasMessage(
            folder
                + " is not data that can be read; data readers: numpy (reads .npz and .npy files and"
                + " folders of them, arrays named as the model's inputs)");
  }

  @Test
  void for_calibration_leave_the_label_out_and_can_be_walked_through_again() throws IOException {
    CalibrationFiles data =
        calibration(CalibrationConfig.builder(copy("pairs.npz", "data.npz")).batchSize(2));

    for (int time = 0; time < 2; time++) {
      List<TensorBatch> batches = new ArrayList<>();
      data.forEach(batches::add);
      assertThat(batches).hasSize(3);
      assertThat(batches.get(0).inputs()).containsOnlyKeys("input");
    }
  }

  @Test
  void for_calibration_end_after_the_most_batches_that_are_wanted() throws IOException {
    CalibrationFiles data =
        calibration(
            CalibrationConfig.builder(copy("pairs.npz", "data.npz")).batchSize(2).maxBatches(1));

    assertThat(data).hasSize(1);
  }

  @Test
  void for_calibration_must_be_more_than_labels() throws IOException {
    CalibrationFiles data =
        calibration(CalibrationConfig.builder(copy("only_label.npz", "data.npz")));

    assertThatThrownBy(() -> data.iterator().hasNext())
        .isInstanceOf(DataException.class)
        .hasMessageEndingWith("has no array but 'label'");
  }

  @Test
  void for_calibration_must_be_some() throws IOException {
    CalibrationFiles data = calibration(CalibrationConfig.builder(copy("no_rows.npy", "data.npy")));

    assertThatThrownBy(() -> data.iterator().hasNext())
        .isInstanceOf(DataException.class)
        .hasMessageEndingWith("has no samples");
  }
}
