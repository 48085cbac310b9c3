package dev.kvant.torch.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ModelFormatException;
import dev.kvant.torch.TorchFormat;
import dev.kvant.torch.TorchModel;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {

  private static final String A = "{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}";
  private static final String B = "{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}";

  private final Path folder;

  SafetensorsTest(@TempDir Path folder) {
    this.folder = folder;
  }

  private Path file(String name, String header, int bytes) throws IOException {
    byte[] text = header.getBytes(UTF_8);
    ByteBuffer content =
        ByteBuffer.allocate(Long.BYTES + text.length + bytes).order(ByteOrder.LITTLE_ENDIAN);
    content.putLong(text.length).put(text);
    for (int i = 0; i < bytes; i++) {
      content.put((byte) i);
    }
    return Files.write(folder.resolve(name), content.array());
  }

  private void assertRefused(String header, String message) throws IOException {
    Path file = file("model.safetensors", header, 4);
    assertThatThrownBy(() -> SafetensorsFile.open(file))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("model.safetensors is not a valid safetensors file")
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
  }

  private void assertIndexRefused(String index, String message) throws IOException {
    Path path = Files.writeString(folder.resolve(SafetensorsIndex.FILE_NAME), index);
    assertThatThrownBy(() -> new TorchFormat().open(folder))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining(path.getFileName().toString())
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
  }

  @Test
  void tensors_come_in_the_order_in_which_they_lie() throws IOException {
    Path path = file("model.safetensors", "{\"b\":%s,\"a\":%s}   ".formatted(B, A), 4);

    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.tensors().keySet()).containsExactly("a", "b");
    }
  }

  @Test
  void metadata_and_unknown_members_are_passed_over() throws IOException {
    String entry = "{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4],\"more\":[{}]}";
    Path path =
        file("model.safetensors", "{\"__metadata__\":{\"a\":\"b\"},\"a\":%s}".formatted(entry), 4);

    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.tensors()).containsOnlyKeys("a");
    }
  }

  @Test
  void tensors_of_types_that_only_others_read_are_opaque() throws IOException {
    file(
        "model.safetensors",
        ("{\"a\":%s,\"c\":{\"dtype\":\"C64\",\"shape\":[],\"data_offsets\":[2,10]},"
                + "\"f\":{\"dtype\":\"F4\",\"shape\":[2,3],\"data_offsets\":[10,13]}}")
            .formatted(A),
        13);

    try (TorchModel model = new TorchFormat().open(folder)) {
      assertThat(model.tensors()).containsOnlyKeys("a");
      assertThat(model.opaqueEntries()).containsExactly("c", "f");
    }
  }

  @Test
  void a_file_without_tensors_is_an_error() throws IOException {
    file("model.safetensors", "{}", 0);

    assertThatThrownBy(() -> new TorchFormat().open(folder))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("has no tensors");
  }

  @Test
  void sizes_of_opaque_types_are_checked_too() throws IOException {
    assertRefused(
        "{\"a\":{\"dtype\":\"F4\",\"shape\":[7],\"data_offsets\":[0,4]}}",
        "tensor 'a' has 4 bytes, which does not match F4 elements of shape [7]");
  }

  @Test
  void a_member_that_comes_twice_is_an_error() throws IOException {
    assertRefused(
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"shape\":[4],\"data_offsets\":[0,4]}}",
        "tensor 'a' has its 'shape' twice");
  }

  @Test
  void a_name_that_comes_twice_is_an_error() throws IOException {
    assertRefused("{\"a\":%s,\"a\":%s}".formatted(A, B), "two tensors are named 'a'");
  }

  @Test
  void an_incomplete_entry_is_an_error() throws IOException {
    assertRefused("{\"a\":{\"dtype\":\"U8\",\"shape\":[4]}}", "tensor 'a' lacks a dtype, a shape");
    assertRefused(
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0]}}", "tensor 'a' lacks");
  }

  @Test
  void numbers_that_are_not_whole_are_an_error() throws IOException {
    assertRefused(
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[4.0],\"data_offsets\":[0,4]}}", "at $.a.shape");
    assertRefused(
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[\"4\"],\"data_offsets\":[0,4]}}", "at $.a.shape");
    assertRefused(
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[99999999999999999999],\"data_offsets\":[0,4]}}",
        "at $.a.shape");
  }

  @Test
  void a_shape_that_no_file_can_hold_is_an_error() throws IOException {
    assertRefused(
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,4]}}",
        "tensor 'a' has 4 bytes, which does not match F64 elements");
    assertRefused(
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[-2,-2],\"data_offsets\":[0,4]}}",
        "does not match U8 elements of shape [-2, -2]");
  }

  @Test
  void a_header_of_another_form_is_an_error() throws IOException {
    assertRefused("{\"a\":7}", "not the JSON that the format requires, at $.a");
    assertRefused("{\"a\":%s} {}".formatted(A), "not the JSON that the format requires");
    assertRefused("{\"a\":", "not the JSON that the format requires");
    assertRefused("{'a':%s}".formatted(A), "not the JSON that the format requires");
    assertRefused(
        "{\"a\":{\"shape\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}}",
        "not the JSON that the format requires");
  }

  @Test
  void a_header_beyond_the_limit_is_an_error() throws IOException {
    Path path = folder.resolve("model.safetensors");
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(Long.BYTES + SafetensorsFile.MAX_HEADER + 1);
      file.writeLong(Long.reverseBytes(SafetensorsFile.MAX_HEADER + 1));
    }

    assertThatThrownBy(() -> SafetensorsFile.open(path))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("header length 100000001 exceeds the limit 100000000");
  }

  @Test
  void a_header_that_is_not_utf8_is_an_error() throws IOException {
    Path path = file("model.safetensors", "{\"aa\":%s}".formatted(A), 2);
    byte[] content = Files.readAllBytes(path);
    content[10] = (byte) 0xff;
    Files.write(path, content);

    assertThatThrownBy(() -> SafetensorsFile.open(path))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("its header is not UTF-8");
  }

  @Test
  void bytes_behind_the_last_tensor_are_an_error() throws IOException {
    assertRefused("{\"a\":%s}".formatted(A), "its tensors need 2 bytes, but it contains 4");
  }

  @Test
  void a_folder_with_one_file_is_a_model() throws IOException {
    file("model.safetensors", "{\"a\":%s,\"b\":%s}".formatted(A, B), 4);

    try (TorchModel model = new TorchFormat().open(folder)) {
      assertThat(model.tensors()).containsOnlyKeys("a", "b");
      assertThat(model.source()).isEqualTo(folder);
      assertThat(model.tensorBytes()).isEqualTo(4);
      assertThat(model.record()).isEmpty();
    }
  }

  @Test
  void an_index_decides_which_tensors_are_read() throws IOException {
    file("one.safetensors", "{\"a\":%s,\"b\":%s}".formatted(A, B), 4);
    file("two.safetensors", "{\"a\":%s,\"c\":%s}".formatted(A, B), 4);
    Files.writeString(
        folder.resolve(SafetensorsIndex.FILE_NAME),
        "{\"weight_map\":{\"c\":\"two.safetensors\",\"a\":\"one.safetensors\"}}");

    try (TorchModel model = new TorchFormat().open(folder)) {
      assertThat(model.tensors().keySet()).containsExactly("a", "c");
      assertThat(model.tensors().values())
          .extracting(tensor -> tensor.storages().get(0).id())
          .containsExactly("one.safetensors/a", "two.safetensors/c");
    }
  }

  @Test
  void a_tensor_that_is_not_in_the_file_the_index_says_is_an_error() throws IOException {
    file("one.safetensors", "{\"a\":%s,\"b\":%s}".formatted(A, B), 4);

    assertIndexRefused(
        "{\"weight_map\":{\"a\":\"one.safetensors\",\"c\":\"one.safetensors\"}}",
        "places tensor 'c' in one.safetensors, which does not contain it");
  }

  @Test
  void an_index_that_leaves_its_folder_is_an_error() throws IOException {
    assertIndexRefused(
        "{\"weight_map\":{\"a\":\"../one.safetensors\"}}",
        "it names '../one.safetensors', which is not a file beside it");
  }

  @Test
  void an_index_that_names_a_file_with_control_characters_is_an_error() throws IOException {
    assertIndexRefused(
        "{\"weight_map\":{\"a\":\"one\\u0000.safetensors\"}}",
        "it names 'one\\u0000.safetensors', which is not a file beside it");
  }

  @Test
  void an_index_of_another_form_is_an_error() throws IOException {
    assertIndexRefused("{\"weight_map\":{}}", "its 'weight_map' names no tensor");
    assertIndexRefused("{\"weight_map\":[]}", "not the JSON that the format requires");
    assertIndexRefused("{\"weight_map\":{\"a\":", "not the JSON that the format requires");
    assertIndexRefused("{\"weight_map\":{\"a\":\"x\",\"a\":\"y\"}}", "tensor 'a' comes twice");
  }
}
