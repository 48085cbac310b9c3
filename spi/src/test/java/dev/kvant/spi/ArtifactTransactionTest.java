package dev.kvant.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizationCancelledException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
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

  private static final String DEAD = "00000000-1111-2222-3333-444444444444";

  /** A lock of a process that cannot exist any more: it began in 1970. */
  private void killedWhileWriting(String... artifacts) throws IOException {
    for (String artifact : artifacts) {
      try (var transaction = ArtifactTransaction.begin(folder)) {
        transaction.create(artifact);
        Path lock = folder.resolve("." + artifact + ".lock");
        List<String> lines = new ArrayList<>(Files.readAllLines(lock));
        lines.set(1, DEAD);
        lines.set(3, "1");
        Files.write(folder.resolve("kept"), lines);
      }
      Files.move(folder.resolve("kept"), folder.resolve("." + artifact + ".lock"));
    }
  }

  private void left(String artifact, String kind, String content) throws IOException {
    Files.writeString(folder.resolve("." + artifact + "." + DEAD + "." + kind), content);
  }

  private List<String> hidden() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.startsWith("."))
          .sorted()
          .toList();
    }
  }

  @Test
  void removes_what_a_killed_process_left_and_keeps_other_hidden_files() throws IOException {
    killedWhileWriting("a.pth", "b.pt");
    left("a.pth", "tmp", "half");
    left("b.pt", "tmp", "half");
    Files.writeString(folder.resolve(".hidden"), "of the user");
    Files.writeString(folder.resolve("a.pth"), "old");

    try (var transaction = ArtifactTransaction.begin(folder)) {
      assertThat(hidden()).containsExactly(".hidden");
      transaction.create("c");
    }

    assertThat(hidden()).containsExactly(".hidden");
    assertThat(folder.resolve("a.pth")).hasContent("old");
  }

  @Test
  void puts_back_the_older_files_when_a_process_was_killed_between_two_moves() throws IOException {
    killedWhileWriting("a.pth", "b.pt", "c.data");
    Files.writeString(folder.resolve("a.pth"), "new");
    left("a.pth", "old", "old");
    Files.writeString(folder.resolve("b.pt"), "new, and was not there before");
    left("b.pt", "new", "");
    Files.writeString(folder.resolve("c.data"), "old");
    left("c.data", "tmp", "new");

    ArtifactTransaction.begin(folder).close();

    assertThat(folder.resolve("a.pth")).hasContent("old");
    assertThat(folder.resolve("b.pt")).doesNotExist();
    assertThat(folder.resolve("c.data")).hasContent("old");
    assertThat(hidden()).isEmpty();
  }

  @Test
  void keeps_the_new_files_when_a_process_was_killed_after_the_last_move() throws IOException {
    killedWhileWriting("a.pth", "b.pt");
    Files.writeString(folder.resolve("a.pth"), "new");
    left("a.pth", "old", "old");
    Files.writeString(folder.resolve("b.pt"), "new");

    ArtifactTransaction.begin(folder).close();

    assertThat(folder.resolve("a.pth")).hasContent("new");
    assertThat(folder.resolve("b.pt")).hasContent("new");
    assertThat(hidden()).isEmpty();
  }

  @Test
  void leaves_the_files_of_a_process_that_runs_and_refuses_to_write_the_same() throws IOException {
    try (var first = ArtifactTransaction.begin(folder);
        var second = ArtifactTransaction.begin(folder)) {
      Path temporary = first.create("a.pth");
      second.create("b.pt");

      assertThatThrownBy(() -> second.create("a.pth"))
          .isInstanceOf(KvantException.class)
          .hasMessageStartingWith(
              folder.resolve("a.pth") + " is being written by another run of this process, since 2")
          .hasMessageEndingWith("If it runs no more, remove " + folder.resolve(".a.pth.lock"));
      assertThat(temporary).exists();
    }
    assertThat(hidden()).isEmpty();
  }

  @Test
  void refuses_to_write_what_a_process_of_another_machine_writes() throws IOException {
    killedWhileWriting("a.pth");
    Path lock = folder.resolve(".a.pth.lock");
    List<String> lines = new ArrayList<>(Files.readAllLines(lock));
    lines.set(2, "4711");
    lines.set(4, "elsewhere");
    Files.write(lock, lines);
    left("a.pth", "tmp", "half");

    try (var transaction = ArtifactTransaction.begin(folder)) {
      assertThatThrownBy(() -> transaction.create("a.pth"))
          .hasMessageContaining("is being written by process 4711 on elsewhere, since ");
    }

    assertThat(hidden()).containsExactly(".a.pth." + DEAD + ".tmp", ".a.pth.lock");
  }

  @Test
  void does_not_take_another_file_for_a_lock() throws IOException {
    Files.writeString(folder.resolve(".a.pth.lock"), "something else");

    try (var transaction = ArtifactTransaction.begin(folder)) {
      assertThatThrownBy(() -> transaction.create("a.pth"))
          .hasMessageContaining("is being written by another process; wait for its end");
    }

    assertThat(folder.resolve(".a.pth.lock")).hasContent("something else");
  }

  @Test
  void removes_a_lock_that_was_prepared_and_not_taken() throws IOException {
    left("a.pth.lock", "tmp", "");

    ArtifactTransaction.begin(folder).close();

    assertThat(hidden()).isEmpty();
  }

  @Test
  void of_one_name_written_twice_keeps_the_last() throws IOException {
    try (var transaction = ArtifactTransaction.begin(folder)) {
      Files.writeString(transaction.create("a.pth"), "first");
      Files.writeString(transaction.create("a.pth"), "second");
      transaction.commit();
    }

    assertThat(folder.resolve("a.pth")).hasContent("second");
    assertThat(hidden()).isEmpty();
  }

  @Test
  void of_many_that_find_the_lock_of_a_dead_process_one_takes_its_place() throws Exception {
    killedWhileWriting("a.pth");
    Path lock = folder.resolve(".a.pth.lock");
    byte[] dead = Files.readAllBytes(lock);
    int count = 4;
    ExecutorService threads = Executors.newFixedThreadPool(count);
    try {
      CyclicBarrier start = new CyclicBarrier(count);
      for (int round = 0; round < 2000; round++) {
        Files.write(lock, dead);
        List<Future<Boolean>> taken = new ArrayList<>();
        for (int i = 0; i < count; i++) {
          taken.add(
              threads.submit(
                  () -> {
                    start.await();
                    ArtifactLock.removeOf(DEAD, lock);
                    try {
                      Files.writeString(lock, "mine", StandardOpenOption.CREATE_NEW);
                      return true;
                    } catch (FileAlreadyExistsException another) {
                      return false;
                    }
                  }));
        }
        int holders = 0;
        for (Future<Boolean> each : taken) {
          holders += each.get() ? 1 : 0;
        }
        assertThat(holders).isEqualTo(1);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void a_commit_is_done_even_if_what_it_leaves_cannot_be_removed() throws IOException {
    Files.writeString(folder.resolve("a.pth"), "old");
    Path lock = folder.resolve(".a.pth.lock");
    try (var transaction = ArtifactTransaction.begin(folder)) {
      Files.writeString(transaction.create("a.pth"), "new");
      Files.writeString(transaction.create("b.pt"), "new");
      Files.delete(lock);
      Files.createDirectories(lock.resolve("not empty"));

      transaction.commit();
    }

    assertThat(folder.resolve("a.pth")).hasContent("new");
    assertThat(folder.resolve("b.pt")).hasContent("new");
    assertThat(hidden()).containsExactly(".a.pth.lock");
  }

  @Test
  void machines_without_a_name_are_not_taken_for_each_other() throws IOException {
    Path named = Files.writeString(folder.resolve("hostname"), "machine\n");
    Path nameless = Files.writeString(folder.resolve("none"), "\n");
    Path missing = folder.resolve("missing");

    assertThat(ArtifactLock.hostName(named, "OTHER")).isEqualTo("machine");
    assertThat(ArtifactLock.hostName(missing, "OTHER")).isEqualTo("OTHER");
    String own = ArtifactLock.hostName(missing, null);
    assertThat(own).matches("machine [0-9a-f-]{36}");
    assertThat(ArtifactLock.hostName(nameless, "")).isEqualTo(own);
  }
}
