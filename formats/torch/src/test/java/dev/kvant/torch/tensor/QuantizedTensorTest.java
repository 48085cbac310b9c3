package dev.kvant.torch.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import dev.kvant.torch.archive.ArchiveWriter;
import dev.kvant.torch.archive.TorchArchive;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuantizedTensorTest {

  private final Path file;

  QuantizedTensorTest(@TempDir Path folder) {
    this.file = folder.resolve("model.pth");
  }

  /** Three rows of two codes with the scales 1, 0.5 and 2. */
  private TorchArchive archive() {
    try (var writer = ArchiveWriter.create(file, "model")) {
      writer.record("codes", new byte[] {1, 2, 3, -4, 5, 6});
      ByteBuffer scales = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
      writer.record("scales", scales.putFloat(1).putFloat(0.5f).putFloat(2).array());
      writer.finish();
    }
    return TorchArchive.open(file);
  }

  private static DenseTensor part(
      TorchArchive archive, String record, ElementType type, Long... shape) {
    return DenseTensor.contiguous(
        record, type, List.of(shape), new TensorStorage(record, archive.record(record)));
  }

  private static QuantizedTensor tensor(TorchArchive archive) {
    return QuantizedTensor.of(
        "a tensor",
        part(archive, "codes", ElementType.INT8, 3L, 2L),
        part(archive, "scales", ElementType.FLOAT32, 3L, 1L),
        ElementType.FLOAT32);
  }

  @Test
  void any_part_is_read_dequantized() {
    float[] expected = {1, 2, 1.5f, -2, 10, 12};
    try (TorchArchive archive = archive()) {
      QuantizedTensor tensor = tensor(archive);
      for (int first = 0; first <= 6; first++) {
        for (int count = 0; first + count <= 6; count++) {
          ByteBuffer target =
              ByteBuffer.allocate(count * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
          tensor.read(first, target);

          assertThat(target.hasRemaining()).isFalse();
          float[] values = new float[count];
          target.flip().asFloatBuffer().get(values);
          assertThat(values).isEqualTo(Arrays.copyOfRange(expected, first, first + count));
        }
      }
    }
  }

  @Test
  void it_looks_like_the_original() {
    try (TorchArchive archive = archive()) {
      assertThat(tensor(archive).elementType()).isEqualTo(ElementType.FLOAT32);
      assertThat(tensor(archive).shape()).containsExactly(3L, 2L);
      assertThat(tensor(archive).bytes()).isEqualTo(24);
      assertThat(tensor(archive).storages())
          .extracting(TensorStorage::id)
          .containsExactly("codes", "scales");
    }
  }

  @Test
  void scales_that_do_not_fit_are_an_error() {
    try (TorchArchive archive = archive()) {
      assertThatThrownBy(
              () ->
                  QuantizedTensor.of(
                      "a tensor",
                      part(archive, "codes", ElementType.INT8, 2L, 3L),
                      part(archive, "scales", ElementType.FLOAT32, 3L, 1L),
                      ElementType.FLOAT32))
          .isInstanceOf(ModelFormatException.class)
          .hasMessageContaining("expected one float32 scale for each row");
    }
  }

  @Test
  void codes_and_originals_of_other_types_are_errors() {
    try (TorchArchive archive = archive()) {
      assertThatThrownBy(
              () ->
                  QuantizedTensor.of(
                      "a tensor",
                      part(archive, "codes", ElementType.UINT8, 3L, 2L),
                      part(archive, "scales", ElementType.FLOAT32, 3L, 1L),
                      ElementType.FLOAT32))
          .isInstanceOf(ModelFormatException.class)
          .hasMessageContaining("quantized to unknown uint8");
      assertThatThrownBy(
              () ->
                  QuantizedTensor.of(
                      "a tensor",
                      part(archive, "codes", ElementType.INT8, 3L, 2L),
                      part(archive, "scales", ElementType.FLOAT32, 3L, 1L),
                      ElementType.FLOAT64))
          .isInstanceOf(ModelFormatException.class)
          .hasMessageContaining("quantized from float64");
    }
  }

  @Test
  void reading_beyond_the_end_is_an_error() {
    try (TorchArchive archive = archive()) {
      assertThatThrownBy(() -> tensor(archive).read(5, ByteBuffer.allocate(8)))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> tensor(archive).read(0, ByteBuffer.allocate(6)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("not a whole number of float32 elements");
    }
  }
}
