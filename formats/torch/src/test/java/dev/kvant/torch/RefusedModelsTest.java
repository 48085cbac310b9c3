package dev.kvant.torch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.kvant.api.ModelFormatException;
import dev.kvant.tck.NamedPipe;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What cannot be read is refused with one message that names the file, the fault and a remedy. */
class RefusedModelsTest {

  private final TorchFormat format = new TorchFormat();
  private final Path folder;

  RefusedModelsTest(@TempDir Path folder) {
    this.folder = folder;
  }

  private void assertRefused(Path path, String message) {
    assertThatThrownBy(() -> format.open(path))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining(path.getFileName().toString())
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          frozen.pt                            | save it before torch.jit.freeze
          legacy_truncated.pth                 | is a damaged checkpoint of torch before version 1.6
          whole_module.pth                     | a pickled object of class torch.nn.modules.container.Sequential
          hostile.pth                          | a call of posix.system, which was not executed
          hostile_bare.pth                     | a pickle without an archive around it, which was not executed
          big_endian.pth                       | has byte order 'big'
          lying_size.pth                       | is cut short or damaged
          lying_size_small.pth                 | record 'data/0'
          outside.pth                          | tensor 'weight'
          outside_offset.pth                   | reaches outside its storage
          outside_stride.pth                   | reaches outside its storage
          negative_size.pth                    | negative
          overflowing_size.pth                 | reaches outside its storage
          short_record.pth                     | has 10 bytes
          missing_record.pth                   | has no record 'data/0'
          cut_pickle.pth                       | record 'data.pkl'
          truncated.pth                        | is cut short or damaged
          truncated.pt                         | is cut short or damaged
          empty.pt                             | is empty
          text.pt                              | is not a TorchScript archive, a PyTorch checkpoint or a safetensors file
          zip_of_other_things.pt               | it contains readme.txt, data.csv, but no data.pkl
          single_tensor.pth                    | contains a single tensor instead of a state dict
          no_tensors.pth                       | has no tensors
          header_longer_than_file.safetensors  | header length 1048576 exceeds the file size 171
          header_absurd_length.safetensors     | header length 4611686018427387904 exceeds the file size
          header_not_json.safetensors          | its header is not the JSON
          overlapping.safetensors              | tensor 'b' starts at byte 8 of the data instead of byte 16
          hole.safetensors                     | tensor 'a'
          outside.safetensors                  | tensor 'b' is at bytes 16 to 48, outside of the 32 bytes of data
          backwards.safetensors                | tensor 'a'
          wrong_shape.safetensors              | tensor 'a'
          unknown_dtype.safetensors            | tensor 'a' has unknown dtype 'F99'
          sharded_missing                      | [model-00002-of-00002.safetensors]
          """)
  void a_damaged_or_unsuitable_file_is_refused(String name, String message) {
    assertRefused(TestModels.path(name), message);
  }

  @Test
  void a_hostile_pickle_is_not_executed() {
    Path mark = Path.of("hostile-was-here");
    for (String name : new String[] {"hostile.pth", "hostile_bare.pth"}) {
      assertThatThrownBy(() -> format.open(TestModels.path(name)));
    }
    try (TorchModel model = TestModels.open("hostile_entry.pth")) {
      assertThat(model.tensors()).containsOnlyKeys("weight");
      assertThat(model.opaqueEntries()).containsExactly("payload");
    }
    assertThat(mark).doesNotExist();
  }

  @Test
  void a_missing_file_is_refused() {
    assertRefused(folder.resolve("nowhere.pt"), "does not exist");
  }

  @Test
  void a_folder_without_index_is_refused() {
    assertRefused(folder, "neither model.safetensors.index.json nor model.safetensors");
  }

  @Test
  void other_formats_are_refused_whatever_their_extension() throws IOException {
    byte[] onnx = {8, 10, 18, 7, 'p', 'y', 't', 'o', 'r', 'c', 'h', 26, 5, '2', '.', '1', '5'};
    byte[] tar = new byte[1024];
    System.arraycopy("pickle".getBytes(UTF_8), 0, tar, 0, 6);
    System.arraycopy("ustar".getBytes(UTF_8), 0, tar, 257, 5);
    byte[] html = "<!DOCTYPE html><html>Not found</html>".getBytes(UTF_8);
    byte[] json = "{\"data\":{\"x\":1}}".getBytes(UTF_8);
    byte[] pointer = "version https://git-lfs.github.com/spec/v1\n".getBytes(UTF_8);
    for (byte[] content : new byte[][] {onnx, tar, html, json, pointer, {1}, {'P', 'K'}}) {
      Path file = Files.write(folder.resolve("model.pt"), content);

      assertThat(format.recognizes(file)).isFalse();
      assertRefused(file, "is not a TorchScript archive, a PyTorch checkpoint");
    }
  }

  @Test
  void a_pickle_of_a_state_dict_without_an_archive_is_refused() throws IOException {
    Path file = Files.write(folder.resolve("model.pt"), new byte[] {(byte) 0x80, 2, '}', '.'});

    assertThat(format.recognizes(file)).isTrue();
    assertRefused(file, "a pickle without an archive around it");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tied.pt",
        "tied.pth",
        "tied.safetensors",
        "sharded",
        "sharded/model.safetensors.index.json",
        "sharded_missing",
        "frozen.pt",
        "tied.pt2",
        "legacy_truncated.pth",
        "hostile_bare.pth",
        "truncated.pth",
        "header_absurd_length.safetensors"
      })
  void files_that_only_this_format_can_explain_are_recognized(String name) throws IOException {
    assertThat(format.recognizes(TestModels.path(name))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"text.pt", "zip_of_other_things.pt", "README.md", "tied.pt.json"})
  void files_of_other_formats_are_not_recognized(String name) throws IOException {
    assertThat(format.recognizes(TestModels.path(name))).isFalse();
  }

  @Test
  void folders_without_safetensors_are_not_recognized() throws IOException {
    assertThat(format.recognizes(folder)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"model.safetensors", "model.safetensors.index.json"})
  void pipes_in_a_folder(String name) throws Exception {
    Path pipe = NamedPipe.create(folder.resolve(name));

    assertThat(NamedPipe.assertRefused(pipe, () -> format.open(folder).close()))
        .startsWith(pipe + " cannot be read: it is a pipe");
  }

  @Test
  void pipes_as_files_of_an_index() throws Exception {
    Files.writeString(
        folder.resolve("model.safetensors.index.json"), "{\"weight_map\": {\"w\": \"part\"}}");
    Path pipe = NamedPipe.create(folder.resolve("part"));

    assertThat(NamedPipe.assertRefused(pipe, () -> format.open(folder).close()))
        .startsWith(pipe + " cannot be read: it is a pipe");
  }

  @Test
  void no_pipe_beside_a_model_is_waited_for() throws Exception {
    Path model = folder.resolve("model.safetensors");
    byte[] header =
        "{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}".getBytes(UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + header.length + 1).order(ByteOrder.LITTLE_ENDIAN);
    Files.write(model, file.putLong(header.length).put(header).array());
    NamedPipe.create(folder.resolve("config.json"));

    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> {
          try (TorchModel opened = format.open(model)) {
            assertThat(opened.tensors()).containsOnlyKeys("w");
          }
        });
  }
}
