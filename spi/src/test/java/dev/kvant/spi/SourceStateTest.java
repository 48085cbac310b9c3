package dev.kvant.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.KvantException;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("What is made from a model is put into place only if the model did not change")
class SourceStateTest {

  private static final FileTime EARLIER = FileTime.fromMillis(1_000_000_000_000L);

  @TempDir Path folder;
  private Path model;
  private Path shard;
  private Path results;

  @BeforeEach
  void write() throws IOException {
    model = old("model");
    shard = old("shard");
    results = folder.resolve("results");
  }

  private Path old(String name) throws IOException {
    Path file = Files.writeString(folder.resolve(name), name);
    Files.setLastModifiedTime(file, EARLIER);
    return file;
  }

  private SourceState state() {
    return SourceState.of(new OfTwoFiles(model, shard));
  }

  private void assertRefused(SourceState state, Path changed) throws IOException {
    try (var transaction = ArtifactTransaction.begin(results, state)) {
      Files.writeString(transaction.create("artifact"), "new");

      assertThatThrownBy(transaction::commit)
          .isInstanceOf(KvantException.class)
          .hasMessage(
              "%s was changed or replaced while it was read, so nothing was written; quantize it again",
              changed);
    }
    assertThat(results).doesNotExist();
  }

  @Test
  void as_it_is() throws IOException {
    try (var transaction = ArtifactTransaction.begin(results, state())) {
      Files.writeString(transaction.create("artifact"), "new");
      transaction.commit();
    }

    assertThat(results.resolve("artifact")).hasContent("new");
  }

  @Test
  void not_after_it_was_written_to() throws IOException {
    SourceState state = state();
    Files.writeString(model, "ledom");

    assertRefused(state, model);
  }

  @Test
  void not_after_one_of_its_files_was_cut_short() throws IOException {
    SourceState state = state();
    Files.writeString(shard, "sha");
    Files.setLastModifiedTime(shard, EARLIER);

    assertRefused(state, shard);
  }

  @Test
  void not_after_another_file_of_the_same_size_and_time_took_its_place() throws IOException {
    SourceState state = state();
    Path other = old("other");
    Files.writeString(other, "ledom");
    Files.setLastModifiedTime(other, EARLIER);
    Files.move(other, model, StandardCopyOption.REPLACE_EXISTING);

    assertRefused(state, model);
  }

  @Test
  void not_after_it_was_removed() throws IOException {
    SourceState state = state();
    Files.delete(shard);

    assertRefused(state, shard);
  }

  @Test
  void not_after_a_file_in_its_folder_was_written_to() throws IOException {
    Path inside = Files.createDirectory(folder.resolve("inside"));
    Path file = Files.writeString(inside.resolve("weights"), "old");
    SourceState state = SourceState.of(new OfTwoFiles(inside, model));
    Files.createDirectory(inside.resolve("results"));
    Files.writeString(inside.resolve(".cache"), "new");
    state.check();
    Files.writeString(file, "newer");

    assertRefused(state, file);
  }

  @Test
  void where_it_is_no_file() {
    SourceState.of(new OfTwoFiles(model, folder.resolve("nowhere"))).check();
  }

  /** A model of two files. */
  private record OfTwoFiles(Path source, Path other) implements QuantizableModel {

    @Override
    public List<Path> files() {
      return List.of(source, other);
    }

    @Override
    public String format() {
      return "toy";
    }

    @Override
    public List<ModuleDescription> modules() {
      return List.of();
    }

    @Override
    public Map<String, ModelTensor> tensors() {
      return Map.of();
    }

    @Override
    public long tensorBytes() {
      return 0;
    }

    @Override
    public void close() {}
  }
}
