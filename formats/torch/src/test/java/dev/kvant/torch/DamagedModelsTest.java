package dev.kvant.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.kvant.api.ModelFormatException;
import dev.kvant.torch.archive.ArchiveRecord;
import dev.kvant.torch.archive.ArchiveWriter;
import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.tensor.StoredTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever happens to a file, it is opened or refused: no other exception, no overflow. */
class DamagedModelsTest {

  private static final int TRIES = 100;
  private static final int MAX_BYTES = 1 << 20;

  private final Path folder;

  DamagedModelsTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tied.pt",
        "tied_traced.pt",
        "tied.pt2",
        "strange.pth",
        "opaque.pth",
        "checkpoint_lightning.pth",
        "torchao/tied_int8.pth",
        "types.safetensors",
        "sharded/model.safetensors.index.json"
      })
  void a_file_with_changed_bytes_is_opened_or_refused(String name) throws IOException {
    byte[] sound = Files.readAllBytes(TestModels.path(name));
    var random = new Random(7);
    for (int i = 0; i < TRIES; i++) {
      Path file = Files.write(folder.resolve("damaged"), damaged(sound, random));
      assertOpenedOrRefused(file, name, i);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tied.pt", "strange.pth", "opaque.pth", "torchao/tied_fp8_e4m3fn.pth"})
  void a_pickle_with_changed_bytes_is_opened_or_refused(String name) throws IOException {
    var random = new Random(8);
    try (TorchArchive archive = TorchArchive.open(TestModels.path(name))) {
      byte[] sound = archive.record("data.pkl").readAll(MAX_BYTES);
      for (int i = 0; i < TRIES; i++) {
        Path file = folder.resolve("damaged");
        try (var writer = ArchiveWriter.create(file, "model")) {
          for (ArchiveRecord record : archive.records()) {
            if (record.name().equals("data.pkl")) {
              writer.record(record.name(), damaged(sound, random));
            } else {
              writer.copy(record);
            }
          }
          writer.finish();
        }
        assertOpenedOrRefused(file, name, i);
      }
    }
  }

  private static byte[] damaged(byte[] sound, Random random) {
    byte[] bytes = sound.clone();
    switch (random.nextInt(4)) {
      case 0 -> bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
      case 1 -> {
        // A piece of the file in another place.
        int length = 1 + random.nextInt(Math.min(64, bytes.length));
        System.arraycopy(
            sound,
            random.nextInt(bytes.length - length + 1),
            bytes,
            random.nextInt(bytes.length - length + 1),
            length);
      }
      case 2 -> {
        byte[] extremes = {0, -1, 127, -128};
        for (int i = 1 + random.nextInt(8); i > 0; i--) {
          bytes[random.nextInt(bytes.length)] = extremes[random.nextInt(extremes.length)];
        }
      }
      default -> {
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
          bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        }
      }
    }
    return bytes;
  }

  private static void assertOpenedOrRefused(Path file, String name, int number) throws IOException {
    try {
      new TorchFormat().recognizes(file);
      try (TorchModel model = new TorchFormat().open(file)) {
        assertThat(model.tensors()).isNotEmpty();
        for (StoredTensor tensor : model.tensors().values()) {
          if (tensor.bytes() <= MAX_BYTES) {
            tensor.read(0, ByteBuffer.allocate((int) tensor.bytes()));
          }
        }
      }
    } catch (ModelFormatException e) {
      assertThat(e).as("%s, try %d", name, number).message().isNotBlank().doesNotContain("\n");
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
      fail("%s, try %d".formatted(name, number), e);
    }
  }
}
