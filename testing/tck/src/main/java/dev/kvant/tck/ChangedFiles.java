package dev.kvant.tck;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.junit.jupiter.api.function.Executable;

/** Changes the files of a sample one at a time, and has each mutant read. */
final class ChangedFiles {

  private static final int MUTANTS = 250;

  private ChangedFiles() {}

  /**
   * Fails if a mutant is neither read nor refused with a reason, or takes much more memory than its
   * size explains. {@code -Dkvant.mutants=N} tries more of them.
   *
   * @param sample a valid file or folder, which is so again at the end
   * @param isRefusal whether an exception refuses a mutant; others are faults of the reader
   * @param reading reads the sample
   */
  static void check(Path sample, Predicate<Throwable> isRefusal, Executable reading)
      throws IOException {
    String name = Objects.requireNonNull(sample.getFileName(), "name").toString();
    var mutants = new Mutants(name.hashCode());
    List<Path> files = FolderContent.files(sample);
    for (int i = 0; i < Integer.getInteger("kvant.mutants", MUTANTS); i++) {
      Path file = files.get(i % files.size());
      byte[] valid = Files.readAllBytes(file);
      byte[] mutant = mutants.of(valid);
      Files.write(file, mutant);
      String what = "mutant %d of %s".formatted(i, file.getFileName());
      try {
        Allocation.assertBounded(mutant.length, what, reading);
      } catch (AssertionError e) {
        throw e;
      } catch (Throwable e) {
        if (!isRefusal.test(e)) {
          throw new AssertionError(
              "%s fails by %s; its bytes: %s"
                  .formatted(what, e, Base64.getEncoder().encodeToString(mutant)),
              e);
        }
        assertReason(what, e);
      }
      Files.write(file, valid);
    }
  }

  private static void assertReason(String what, Throwable refusal) {
    String message = String.valueOf(refusal.getMessage());
    assertFalse(
        message.isBlank() || message.contains("(null)"),
        () -> "%s gives no reason: %s".formatted(what, message));
  }
}
