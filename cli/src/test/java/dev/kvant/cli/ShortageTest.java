package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.KvantException;
import java.io.FileNotFoundException;
import java.nio.file.FileSystemException;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("A shortage")
class ShortageTest {

  @ParameterizedTest
  @CsvSource({
    "Java heap space, the heap is full, -Xmx",
    "GC overhead limit exceeded, the heap is full, -Xmx",
    "Requested array size exceeds VM limit, the heap is full, -Xmx",
    "Cannot reserve 4096 bytes of direct buffer memory, memory for direct buffers, -XX:MaxDirectMemorySize=",
    "Metaspace, space for classes, -XX:MaxMetaspaceSize=",
    "Compressed class space, space for classes, -XX:CompressedClassSpaceSize=",
    "unable to create native thread: possibly out of memory, starts no more threads, ulimit -u",
    "Map failed, maps no more files, vm.max_map_count"
  })
  void of_memory_says_which_memory_it_is_and_which_option_raises_it(
      String message, String what, String option) {
    assertThat(Shortage.of(new OutOfMemoryError(message)).orElseThrow())
        .contains(message, what, option);
    assertThat(Shortage.of(new CompletionException(new OutOfMemoryError(message)))).isPresent();
  }

  static List<Throwable> withoutFiles() {
    String message = "/lib/x.jar (Too many open files)";
    return List.of(
        new FileSystemException("/lib/x.jar", null, "Too many open files"),
        new KvantException("nothing can be read", new FileNotFoundException(message)),
        new InvalidConfigurationException("quantize.backend", "no backend is there: " + message));
  }

  @ParameterizedTest
  @MethodSource("withoutFiles")
  void of_file_descriptors_says_how_to_raise_their_number(Throwable failure) {
    assertThat(Shortage.of(failure).orElseThrow())
        .isEqualTo(
            "the process may open no more files (too many open files); raise the limit, for instance"
                + " with 'ulimit -n 1024'");
    assertThat(ExitCode.of(failure)).isEqualTo(ExitCode.FAILED);
  }

  @Test
  void is_none_where_something_else_is_wrong() {
    assertThat(Shortage.of(new IllegalStateException("no", new KvantException("never")))).isEmpty();
  }
}
