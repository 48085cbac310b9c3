package dev.kvant.runtime.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.DataException;
import dev.kvant.api.ImageConfig;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Samples on disk")
class SamplesTest {

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

  private static List<Map<String, Tensor>> all(Path path, @Nullable ImageConfig images, int size) {
    List<Map<String, Tensor>> batches = new ArrayList<>();
    try (Samples samples = Samples.open(path, images)) {
      for (Map<String, Tensor> next = samples.next(size);
          !next.isEmpty();
          next = samples.next(size)) {
        batches.add(next);
      }
    }
    return batches;
  }

  @ParameterizedTest
  @ValueSource(strings = {"pairs.npz", "compressed.npz"})
  void of_an_archive_come_in_batches_with_all_arrays_in_step(String resource) throws IOException {
    List<Map<String, Tensor>> batches = all(copy(resource, "data"), null, 2);

    assertThat(batches).hasSize(3);
    assertThat(tensor(batches.get(1), "input").toFloats()).containsExactly(4, 5, 6, 7);
    assertThat(tensor(batches.get(1), "label").toLongs()).containsExactly(2, 3);
    assertThat(tensor(batches.get(2), "input").shape()).containsExactly(1L, 2L);
  }

  @Test
  void of_images_name_the_one_that_is_damaged() throws IOException {
    byte[] png = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 'x', 'x'};
    Path image = Files.write(folder.resolve("broken.png"), png);

    assertThatThrownBy(
            () -> all(folder, new ImageConfig(List.of(2), List.of(0.0), List.of(1.0), "NCHW"), 1))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith(image + " is a damaged image: ")
        .hasMessageNotContaining("Exception");
  }

  @Test
  void of_a_single_array_are_called_input() throws IOException {
    List<Map<String, Tensor>> batches = all(copy("vector.npy", "data.bin"), null, 10);

    assertThat(batches).hasSize(1);
    assertThat(tensor(batches.get(0), "input").toLongs()).containsExactly(0, 1, 2, 3, 4);
  }

  @Test
  void of_a_folder_fill_batches_across_its_files_in_the_order_of_names() throws IOException {
    copy("pairs.npz", "b.npz");
    copy("pairs.npz", "a.npz");
    copy("float32.npy", "ignored.txt");

    List<Map<String, Tensor>> batches = all(folder, null, 4);

    assertThat(batches).hasSize(3);
    assertThat(tensor(batches.get(1), "label").toLongs()).containsExactly(4, 0, 1, 2);
    assertThat(tensor(batches.get(1), "input").shape()).containsExactly(4L, 2L);
    assertThat(tensor(batches.get(2), "label").toLongs()).containsExactly(3, 4);
  }

  @Test
  void of_a_folder_must_be_alike_in_all_files() throws IOException {
    copy("float32.npy", "a.npy");
    copy("float64.npy", "b.npy");

    assertThatThrownBy(() -> all(folder, null, 4))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("b.npy holds float64, and files before it float32");
  }

  @Test
  void of_a_folder_come_apart_where_their_shape_changes() throws IOException {
    copy("pairs.npz", "a.npz");
    copy("pairs.npz", "b.npz");
    copy("triples.npz", "c.npz");
    copy("pairs.npz", "d.npz");

    List<Map<String, Tensor>> batches = all(folder, null, 8);

    assertThat(batches)
        .extracting(batch -> tensor(batch, "input").shape())
        .containsExactly(List.of(8L, 2L), List.of(2L, 2L), List.of(4L, 3L), List.of(5L, 2L));
  }

  @Test
  void of_a_folder_must_have_the_same_arrays_in_all_files() throws IOException {
    copy("pairs.npz", "a.npz");
    copy("only_label.npz", "b.npz");

    assertThatThrownBy(() -> all(folder, null, 10))
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

    assertThatThrownBy(() -> Samples.open(file, null))
        .isInstanceOf(DataException.class)
        .hasMessageContaining(reason)
        .hasMessageContaining(file.toString());
  }

  @Test
  void that_are_not_there_are_missed_by_name() {
    assertThatThrownBy(() -> Samples.open(folder.resolve("nothing.npz"), null))
        .isInstanceOf(DataException.class)
        .hasMessage("the data " + folder.resolve("nothing.npz") + " does not exist");
  }

  @Test
  void of_an_empty_folder_are_missed_with_a_hint_at_images() {
    assertThatThrownBy(() -> Samples.open(folder, null))
        .isInstanceOf(DataException.class)
        .hasMessageContaining(
            "that ends in one of npy, npz; for images, say in calibration.images");
  }

  private void writeImage(String name, int rgb) throws IOException {
    BufferedImage image = new BufferedImage(4, 2, BufferedImage.TYPE_INT_RGB);
    for (int x = 0; x < 4; x++) {
      for (int y = 0; y < 2; y++) {
        image.setRGB(x, y, rgb);
      }
    }
    ImageIO.write(image, "png", folder.resolve(name).toFile());
  }

  @Test
  void of_images_have_their_channels_first_and_normalized() throws IOException {
    writeImage("a.png", 0xFF0033);
    writeImage("b.png", 0x000000);
    ImageConfig config =
        new ImageConfig(List.of(3), List.of(0.5, 0.0, 0.0), List.of(0.5, 1.0, 2.0), "NCHW");

    List<Map<String, Tensor>> batches = all(folder, config, 8);

    Tensor input = tensor(batches.get(0), "input");
    assertThat(input.shape()).containsExactly(2L, 3L, 3L, 3L);
    assertThat(input.toFloats()[0]).isEqualTo(1);
    assertThat(input.toFloats()[9]).isZero();
    assertThat(input.toFloats()[18]).isCloseTo(0.1f, within(1e-6f));
    assertThat(input.toFloats()[27]).isEqualTo(-1);
  }

  @Test
  void of_images_can_have_their_channels_last_and_another_size() throws IOException {
    writeImage("a.png", 0xFF0000);
    ImageConfig config =
        new ImageConfig(List.of(5, 6), List.of(0.0, 0.0, 0.0), List.of(1.0, 1.0, 1.0), "NHWC");

    Tensor input = tensor(all(folder, config, 1).get(0), "input");

    assertThat(input.shape()).containsExactly(1L, 5L, 6L, 3L);
    assertThat(input.toFloats()).startsWith(1, 0, 0, 1, 0, 0);
  }

  @Test
  void of_images_are_grey_when_there_is_one_mean() throws IOException {
    writeImage("a.png", 0x00FF00);
    ImageConfig config = new ImageConfig(List.of(2), List.of(0.0), List.of(1.0), "NCHW");

    Tensor input = tensor(all(folder, config, 1).get(0), "input");

    assertThat(input.shape()).containsExactly(1L, 1L, 2L, 2L);
    assertThat(input.toFloats()[0]).isCloseTo(0.587f, within(1e-6f));
  }

  @Test
  void of_a_broken_image_are_refused() throws IOException {
    Files.writeString(folder.resolve("a.png"), "no image");
    ImageConfig config = new ImageConfig(List.of(2), List.of(0.0), List.of(1.0), "NCHW");

    assertThatThrownBy(() -> all(folder, config, 1))
        .isInstanceOf(DataException.class)
        .hasMessage(folder.resolve("a.png") + " is not an image that can be read");
  }

  @Test
  void for_calibration_leave_the_label_out_and_can_be_walked_through_again() throws IOException {
    CalibrationFiles data =
        new CalibrationFiles(new CalibrationConfig(copy("pairs.npz", "data.npz"), 2, null, null));

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
        new CalibrationFiles(new CalibrationConfig(copy("pairs.npz", "data.npz"), 2, 1, null));

    assertThat(data).hasSize(1);
  }

  @Test
  void for_calibration_must_be_more_than_labels() throws IOException {
    CalibrationFiles data =
        new CalibrationFiles(
            new CalibrationConfig(copy("only_label.npz", "data.npz"), 2, null, null));

    assertThatThrownBy(() -> data.iterator().hasNext())
        .isInstanceOf(DataException.class)
        .hasMessageEndingWith("has no array but 'label'");
  }

  @Test
  void for_calibration_must_be_some() throws IOException {
    CalibrationFiles data =
        new CalibrationFiles(new CalibrationConfig(copy("no_rows.npy", "data.npy"), 2, null, null));

    assertThatThrownBy(() -> data.iterator().hasNext())
        .isInstanceOf(DataException.class)
        .hasMessageEndingWith("has no samples");
  }
}
