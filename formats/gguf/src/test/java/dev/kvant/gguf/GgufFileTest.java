package dev.kvant.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.QuantizableModel;
import dev.kvant.tck.StoredValues;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("A GGUF file")
class GgufFileTest {

  /** What interop/models/make_gguf.py wrote with gguf 0.19. */
  private static final Path MODELS = Path.of("src/test/resources/models");

  static final Path DECODER = MODELS.resolve("decoder.gguf");
  static final Path TYPES = MODELS.resolve("types.gguf");

  private static final int UINT32 = 4;
  private static final int STRING = 8;
  private static final int ARRAY = 9;

  @TempDir Path folder;

  private static GgufEntry entry(GgufFile file, String key) {
    return Objects.requireNonNull(file.metadata().get(key), key);
  }

  @Test
  @DisplayName("gives its tensors in order, with the outermost dimension first")
  void tensors() {
    try (GgufFile file = GgufFile.open(DECODER)) {
      assertThat(file.tensors().keySet())
          .containsExactly(
              "token_embd.weight",
              "blk.0.attn_norm.weight",
              "blk.0.attn_q.weight",
              "blk.1.ffn_up.weight",
              "blk.1.ffn_up.bias");
      assertThat(file.tensors().get("token_embd.weight")).hasToString("float16[5, 64]");
      assertThat(file.tensors().get("blk.1.ffn_up.weight")).hasToString("bfloat16[2, 32]");
      assertThat(
              StoredValues.floats(
                  Objects.requireNonNull(file.tensors().get("blk.0.attn_norm.weight"))))
          .containsExactly(0, 1, 2);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "uint8, 200",
    "int8, -100",
    "uint16, 60000",
    "int16, -30000",
    "uint32, 4000000000",
    "int32, -2000000000",
    "int64, -4611686018427387904",
  })
  @DisplayName("gives integers of its metadata, whatever their type")
  void integers(String type, long value) {
    try (GgufFile file = GgufFile.open(DECODER)) {
      assertThat(entry(file, "test." + type).integer()).hasValue(value);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"uint64", "float32", "bool", "string", "numbers", "float64"})
  @DisplayName("gives no integer for another type, or where it exceeds 63 bits")
  void notIntegers(String type) {
    try (GgufFile file = GgufFile.open(DECODER)) {
      assertThat(entry(file, "test." + type).integer()).isEmpty();
    }
  }

  @Test
  @DisplayName("gives texts of its metadata")
  void texts() {
    try (GgufFile file = GgufFile.open(DECODER)) {
      assertThat(entry(file, "test.string").text()).contains("Grüße");
      assertThat(entry(file, "general.architecture").text()).contains("llama");
      assertThat(entry(file, "test.int8").text()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("has tensors of every type, of the size that gguf gives it")
  void types(GgufType type) {
    try (GgufFile file = GgufFile.open(TYPES)) {
      ElementType elements = type.elementType();
      var tensor =
          Objects.requireNonNull(
              file.tensors().get(type.name().toLowerCase(Locale.ROOT) + ".weight"));
      assertThat(tensor.elementType()).isEqualTo(elements);
      assertThat(tensor.shape()).containsExactly(3L, 2L * elements.blockElements());
      assertThat(tensor.bytes()).isEqualTo(6L * elements.blockBytes());
      byte[] bytes = StoredValues.bytes(tensor).array();
      for (int i = 0; i < bytes.length; i++) {
        assertThat(bytes[i]).isEqualTo((byte) (i % 100));
      }
    }
  }

  @Test
  @DisplayName("keeps the alignment of its metadata")
  void alignment() {
    try (GgufFile decoder = GgufFile.open(DECODER);
        GgufFile types = GgufFile.open(TYPES)) {
      assertThat(decoder.alignment()).isEqualTo(32);
      assertThat(types.alignment()).isEqualTo(64);
    }
  }

  @Test
  @DisplayName("may have version 2")
  void version2() throws IOException {
    Path file = Bytes.header(2, 1, 0).put(Bytes.tensor("a.weight", 0)).padded(32).in(folder);

    try (GgufFile opened = GgufFile.open(file)) {
      assertThat(opened.tensors()).containsOnlyKeys("a.weight");
    }
  }

  @Test
  @DisplayName("need not be padded behind its last tensor")
  void unpadded() throws IOException {
    byte[] content = Files.readAllBytes(DECODER);
    Path file = folder.resolve("unpadded.gguf");
    Files.write(file, Arrays.copyOf(content, content.length - 24));

    try (GgufFile opened = GgufFile.open(file)) {
      assertThat(opened.tensors()).hasSize(5);
    }
  }

  static Stream<Arguments> damaged() {
    Bytes one = Bytes.tensor("a", 0);
    return Stream.of(
        arguments("GGUX", new Bytes().text8("GGUX").put(new byte[20]), "does not begin with GGUF"),
        arguments("short", new Bytes().text8("GGUF").int32(3).int32(1), "ends at byte 12, within"),
        arguments("version 1", Bytes.header(1, 0, 0), "version 1 of the format (supported: 2 and"),
        arguments("version 4", Bytes.header(4, 0, 0), "version 4 of the format"),
        arguments("big-endian", Bytes.header(3 << 24, 0, 0), "it is big-endian"),
        arguments(
            "tensors", Bytes.header(3, 1000, 0).put(one), "announces 1000 tensors, and 41 bytes"),
        arguments(
            "all tensors", Bytes.header(3, -1, 0), "announces 18446744073709551615 tensors, and 8"),
        arguments(
            "entries", Bytes.header(3, 0, 1L << 40), "announces 1099511627776 entries of metadata"),
        arguments(
            "key",
            Bytes.header(3, 0, 1).int64(1 << 30).put(new byte[20]),
            "announces 1073741824 bytes in a key of the metadata, and 20 bytes are left"),
        arguments(
            "long key",
            Bytes.header(3, 0, 1).text("k".repeat(65_536)).int32(UINT32).int32(1),
            "a key of the metadata has 65536 bytes; at most 65535"),
        arguments(
            "key in Latin-1",
            Bytes.header(3, 0, 1).int64(1).put((byte) 0xfc).int32(UINT32).int32(1),
            "a key of the metadata is not UTF-8"),
        arguments(
            "type of a value",
            Bytes.header(3, 0, 1).text("k").int32(13).int64(0),
            "'k' has the unknown type 13"),
        arguments(
            "value",
            Bytes.header(3, 0, 1).text("key").int32(10).int32(0),
            "within the value of 'key'"),
        arguments(
            "text",
            Bytes.header(3, 0, 1).text("k").int32(STRING).int64(9).text8("short"),
            "announces 9 bytes in the value of 'k', and 5 bytes are left"),
        arguments(
            "array of arrays",
            Bytes.header(3, 0, 1).text("k").int32(ARRAY).int32(ARRAY).int64(0),
            "'k' is an array of the unsupported type 9"),
        arguments(
            "array",
            Bytes.header(3, 0, 1).text("k").int32(ARRAY).int32(UINT32).int64(1L << 62).int32(0),
            "announces 4611686018427387904 elements in the value of 'k'"),
        arguments(
            "array of texts",
            Bytes.header(3, 0, 1).text("k").int32(ARRAY).int32(STRING).int64(2).text("a").int64(7),
            "announces 7 bytes in an element of the value of 'k', and 0 bytes are left"),
        arguments(
            "key twice",
            Bytes.header(3, 0, 2)
                .put(new Bytes().text("k").int32(UINT32).int32(1))
                .put(new Bytes().text("k").int32(UINT32).int32(2)),
            "two entries of metadata are named 'k'"),
        arguments(
            "alignment",
            Bytes.header(3, 0, 1).text("general.alignment").int32(UINT32).int32(24),
            "general.alignment is not a power of two"),
        arguments(
            "no alignment",
            Bytes.header(3, 0, 1).text("general.alignment").int32(UINT32).int32(0),
            "general.alignment is not a power of two"),
        arguments(
            "alignment as a text",
            Bytes.header(3, 0, 1).text("general.alignment").int32(STRING).text("32"),
            "general.alignment is not a power of two"),
        arguments(
            "dimensions",
            Bytes.header(3, 1, 0).text("a").int32(5).put(new byte[60]),
            "tensor 'a' has 5 dimensions; at most 4"),
        arguments(
            "long name",
            Bytes.header(3, 1, 0).put(Bytes.tensor("n".repeat(65), 0)).padded(32),
            "the name of a tensor has 65 bytes; at most 64"),
        arguments(
            "type",
            Bytes.header(3, 1, 0).text("a").int32(1).int64(8).int32(4).int64(0).padded(32),
            "tensor 'a' has the unknown type 4"),
        arguments(
            "negative",
            Bytes.header(3, 1, 0).text("a").int32(1).int64(-8).int32(0).int64(0).padded(32),
            "tensor 'a' cannot have the shape [-8] of float32"),
        arguments(
            "rows",
            Bytes.header(3, 1, 0).text("a").int32(1).int64(33).int32(2).int64(0).padded(64),
            "tensor 'a' cannot have the shape [33] of q4_0"),
        arguments(
            "overflow",
            Bytes.header(3, 1, 0)
                .text("a")
                .int32(2)
                .int64(1L << 40)
                .int64(1L << 40)
                .int32(0)
                .int64(0)
                .padded(64),
            "tensor 'a' cannot have the shape"),
        arguments(
            "overlap",
            Bytes.header(3, 2, 0).put(one).put(Bytes.tensor("b", 0)).padded(64),
            "tensor 'b' starts at byte 0 of the data instead of byte 32"),
        arguments(
            "gap",
            Bytes.header(3, 2, 0).put(one).put(Bytes.tensor("b", 64)).padded(96),
            "tensor 'b' starts at byte 64 of the data instead of byte 32"),
        arguments(
            "not aligned",
            Bytes.header(3, 1, 0).put(Bytes.tensor("a", 4)).padded(36),
            "tensor 'a' starts at byte 4 of the data instead of byte 0"),
        arguments(
            "name twice",
            Bytes.header(3, 2, 0).put(one).put(Bytes.tensor("a", 32)).padded(64),
            "two tensors are named 'a'"),
        arguments(
            "cut", Bytes.header(3, 1, 0).put(one).padded(31), "tensor 'a' of 32 bytes at byte 64"),
        arguments(
            "more",
            Bytes.header(3, 1, 0).put(one).padded(33),
            "end at byte 96, padded at byte 96"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("damaged")
  @DisplayName("is refused by name where it is damaged")
  void isDamaged(String name, Bytes content, String message) throws IOException {
    Path file = content.in(folder);

    assertThatThrownBy(() -> GgufFile.open(file))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageStartingWith(file + " is not a valid GGUF file: ")
        .hasMessageContaining(message)
        .hasMessageEndingWith("download or convert it again");
  }

  @Test
  @DisplayName("is refused where it is a part of a model")
  void part() throws IOException {
    Path file =
        Bytes.header(3, 1, 1)
            .put(new Bytes().text("split.count").int32(UINT32).int32(3))
            .put(Bytes.tensor("a", 0))
            .padded(32)
            .in(folder);

    assertThatThrownBy(() -> GgufFile.open(file))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("is one of 3 parts of a model; merge them");
  }

  @Test
  @DisplayName("without tensors is no model")
  void empty() throws IOException {
    Path file = Bytes.header(3, 0, 0).in(folder);

    assertThatThrownBy(() -> new GgufFormat().open(file))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("has no tensors");
  }

  @Test
  @DisplayName("names the tensor that shows that it is quantized")
  void quantized() {
    try (QuantizableModel types = new GgufFormat().open(TYPES);
        QuantizableModel decoder = new GgufFormat().open(DECODER)) {
      assertThat(types.quantizedBy()).contains("llama.cpp: 'q4_0.weight' holds blocks of q4_0");
      assertThat(decoder.quantizedBy()).isEmpty();
    }
  }

  @Test
  @DisplayName(
      "as a model has the modules that the names of its tensors give, and stands for itself")
  void modules() {
    try (QuantizableModel model = new GgufFormat().open(DECODER)) {
      assertThat(model.compatibleFormats()).isEqualTo(List.of("gguf"));
      assertThat(model.modules())
          .extracting("names")
          .contains(List.of("token_embd"), List.of("blk.0.attn_q"), List.of("blk.1.ffn_up"));
    }
  }
}
