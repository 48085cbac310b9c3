package dev.kvant.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ElementType;
import dev.kvant.api.QuantizationListener;
import dev.kvant.kit.ByteProgress;
import dev.kvant.kit.OutputTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("The writer of GGUF files")
class GgufWriterTest {

  @TempDir Path folder;

  private Path write(List<GgufEntry> metadata, List<OutputTensor> tensors) {
    Path file = folder.resolve("written.gguf");
    GgufWriter.write(
        file, metadata, tensors, new ByteProgress(QuantizationListener.NONE, "save", 0));
    return file;
  }

  private static OutputTensor tensor(String name, ElementType type, long... shape) {
    List<Long> extents = new ArrayList<>();
    long elements = 1;
    for (long extent : shape) {
      extents.add(extent);
      elements *= extent;
    }
    byte[] content = new byte[(int) type.bytes(elements)];
    return new OutputTensor(name, type, extents, (out, progress) -> out.write(content));
  }

  @ParameterizedTest
  @ValueSource(strings = {"decoder.gguf", "types.gguf"})
  @DisplayName("writes what it has read from gguf's file, byte for byte")
  void writesTheSame(String name) throws IOException {
    Path source = Path.of("src/test/resources/models").resolve(name);
    Path written;
    try (GgufFile file = GgufFile.open(source)) {
      List<OutputTensor> tensors = new ArrayList<>();
      file.tensors().forEach((key, tensor) -> tensors.add(OutputTensor.copyOf(key, tensor)));
      written = write(List.copyOf(file.metadata().values()), tensors);
    }

    assertThat(Files.readAllBytes(written)).isEqualTo(Files.readAllBytes(source));
  }

  @Test
  @DisplayName("writes numbers that are read again")
  void numbers() {
    Path file = write(List.of(GgufEntry.of("k", 17)), List.of(tensor("a", ElementType.INT8, 3)));

    try (GgufFile read = GgufFile.open(file)) {
      assertThat(read.metadata().values())
          .extracting(GgufEntry::integer)
          .containsExactly(OptionalLong.of(17));
    }
  }

  @Test
  @DisplayName("refuses names that come twice")
  void twice() {
    OutputTensor tensor = tensor("a", ElementType.FLOAT32, 2);

    assertThatThrownBy(() -> write(List.of(), List.of(tensor, tensor)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("tensors: two are named 'a'");
    assertThatThrownBy(() -> write(List.of(GgufEntry.of("k", 1), GgufEntry.of("k", 1)), List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("metadata: two are named 'k'");
  }

  @Test
  @DisplayName("refuses types that the format does not have")
  void types() {
    assertThat(GgufWriter.supports(ElementType.BOOL)).isFalse();
    assertThatThrownBy(() -> write(List.of(), List.of(tensor("a", ElementType.BOOL, 2))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("tensors: 'a' is bool, which GGUF files cannot hold");
  }

  @Test
  @DisplayName("notices content that is not as long as the shape says")
  void length() {
    var wrong =
        new OutputTensor(
            "a", ElementType.FLOAT32, List.of(2L), (out, progress) -> out.write(new byte[7]));

    assertThatThrownBy(() -> write(List.of(), List.of(wrong)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("tensor 'a' was written with 7 bytes");
  }
}
