package dev.kvant.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizationCancelledException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("A transaction of artifacts")
class ArtifactTransactionTest {

  @TempDir Path folder;

  @Test
  void puts_all_files_into_place_on_commit() throws IOException {
    try (var transaction = ArtifactTransaction.begin(folder)) {
      Files.writeString(transaction.create("a.pth"), "a");
      Files.writeString(transaction.create("b.pt"), "b");
      transaction.commit();
    }

    assertThat(folder.resolve("a.pth")).hasContent("a");
    assertThat(folder.resolve("b.pt")).hasContent("b");
    assertThat(folder).isDirectoryNotContaining("glob:**/.*");
  }

  @Test
  void shows_nothing_before_commit() throws IOException {
    try (var transaction = ArtifactTransaction.begin(folder)) {
      Files.writeString(transaction.create("a.pth"), "a");

      assertThat(folder.resolve("a.pth")).doesNotExist();
    }
  }

  @Test
  void without_commit_leaves_the_old_artifact_as_it_was() throws IOException {
    Files.writeString(folder.resolve("a.pth"), "old");

    try (var transaction = ArtifactTransaction.begin(folder)) {
      Files.writeString(transaction.create("a.pth"), "half");
    }

    assertThat(folder.resolve("a.pth")).hasContent("old");
    assertThat(folder).isDirectoryNotContaining("glob:**/.*");
  }

  @Test
  void replaces_an_old_artifact_on_commit() throws IOException {
    Files.writeString(folder.resolve("a.pth"), "old");

    try (var transaction = ArtifactTransaction.begin(folder)) {
      Files.writeString(transaction.create("a.pth"), "new");
      transaction.commit();
    }

    assertThat(folder.resolve("a.pth")).hasContent("new");
  }

  @Test
  void puts_older_files_back_when_a_later_one_cannot_be_moved() throws IOException {
    Files.writeString(folder.resolve("a.pth"), "old");

    assertThatThrownBy(() -> commitWithObstacle("c.data"))
        .isInstanceOf(KvantException.class)
        .hasMessageContaining("could not be put into place");

    assertThat(folder.resolve("a.pth")).hasContent("old");
    assertThat(folder.resolve("b.pt")).doesNotExist();
    assertThat(folder.resolve("c.data/inner")).isDirectory();
    assertThat(folder).isDirectoryNotContaining("glob:**/.*");
  }

  @Test
  void puts_older_files_back_when_one_in_the_middle_cannot_be_moved() throws IOException {
    Files.writeString(folder.resolve("a.pth"), "old");
    Files.writeString(folder.resolve("c.data"), "old");

    assertThatThrownBy(() -> commitWithObstacle("b.pt")).isInstanceOf(KvantException.class);

    assertThat(folder.resolve("a.pth")).hasContent("old");
    assertThat(folder.resolve("b.pt/inner")).isDirectory();
    assertThat(folder.resolve("c.data")).hasContent("old");
    assertThat(folder).isDirectoryNotContaining("glob:**/.*");
  }

  /** Commits three files when there is a folder where one of them belongs. */
  private void commitWithObstacle(String obstacle) throws IOException {
    try (var transaction = ArtifactTransaction.begin(folder)) {
      Files.writeString(transaction.create("a.pth"), "new");
      Files.writeString(transaction.create("b.pt"), "new");
      Files.writeString(transaction.create("c.data"), "new");
      Files.createDirectories(folder.resolve(obstacle).resolve("inner"));
      transaction.commit();
    }
  }

  @Test
  void leaves_nothing_beside_the_files_that_replace_older_ones() throws IOException {
    Files.writeString(folder.resolve("a.pth"), "old a");
    Files.writeString(folder.resolve("b.pt"), "old b");

    try (var transaction = ArtifactTransaction.begin(folder)) {
      Files.writeString(transaction.create("a.pth"), "a");
      Files.writeString(transaction.create("b.pt"), "b");
      transaction.commit();
    }

    assertThat(folder.resolve("a.pth")).hasContent("a");
    assertThat(folder.resolve("b.pt")).hasContent("b");
    assertThat(folder).isDirectoryNotContaining("glob:**/.*");
  }

  @Test
  void makes_missing_folders() throws IOException {
    try (var transaction = ArtifactTransaction.begin(folder.resolve("x/y"))) {
      Files.writeString(transaction.create("a.pth"), "a");
      transaction.commit();
    }

    assertThat(folder.resolve("x/y/a.pth")).exists();
  }

  @Test
  void without_commit_removes_the_folders_that_it_made() {
    try (var transaction = ArtifactTransaction.begin(folder.resolve("x/y"))) {
      transaction.create("a.pth");
    }

    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void without_commit_keeps_a_folder_that_somebody_else_filled_meanwhile() throws IOException {
    try (var transaction = ArtifactTransaction.begin(folder.resolve("x"))) {
      transaction.create("a.pth");
      Files.writeString(folder.resolve("x/other"), "other");
    }

    assertThat(folder.resolve("x/other")).exists();
  }

  @Test
  void refuses_a_target_that_is_a_folder() throws IOException {
    Files.createDirectory(folder.resolve("a.pth"));

    try (var transaction = ArtifactTransaction.begin(folder)) {
      assertThatThrownBy(() -> transaction.create("a.pth"))
          .isInstanceOf(KvantException.class)
          .hasMessageContaining("is a folder; move it away");
    }
  }

  @Test
  void refuses_a_results_folder_that_is_a_file() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");

    assertThatThrownBy(() -> ArtifactTransaction.begin(file))
        .isInstanceOf(KvantException.class)
        .hasMessage("the folder %s cannot be made: %s is a file".formatted(file, file));
  }

  @Test
  void says_what_is_the_matter_in_words_when_a_folder_above_is_a_file() throws IOException {
    Path below = Files.writeString(folder.resolve("file"), "").resolve("results");

    assertThatThrownBy(() -> ArtifactTransaction.begin(below))
        .isInstanceOf(KvantException.class)
        .hasMessage("the folder %s cannot be made: Not a directory".formatted(below));
  }

  @Test
  void does_not_name_temporary_files_when_nothing_can_be_written() throws IOException {
    Path gone = Files.createDirectory(folder.resolve("gone"));
    try (var transaction = ArtifactTransaction.begin(gone)) {
      Files.delete(gone);

      assertThatThrownBy(() -> transaction.create("a.pth"))
          .isInstanceOf(KvantException.class)
          .hasMessage("nothing can be written into %s: there is no such folder".formatted(gone));
    }
  }

  @Test
  void can_be_closed_twice() {
    var transaction = ArtifactTransaction.begin(folder.resolve("x"));
    transaction.create("a.pth");

    transaction.close();
    transaction.close();

    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void an_interrupted_thread_commits_nothing_and_stays_interrupted() throws IOException {
    Files.writeString(folder.resolve("a.pth"), "old");
    try (var transaction = ArtifactTransaction.begin(folder)) {
      Files.writeString(transaction.create("a.pth"), "new");
      Thread.currentThread().interrupt();

      assertThatThrownBy(transaction::commit).isInstanceOf(QuantizationCancelledException.class);
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(folder.resolve("a.pth")).hasContent("old");
    assertThat(folder).isDirectoryNotContaining("glob:**.tmp");
  }
}
