package dev.kvant.cli;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Recognizes failures that come from what the process lacks, and says how to give it more. */
final class Shortage {

  private static final String TOO_MANY_FILES = "Too many open files";

  private Shortage() {}

  /** What is lacking and how to get it, or empty if the failure has another reason. */
  static Optional<String> of(Throwable failure) {
    Deque<Throwable> ahead = new ArrayDeque<>();
    Set<Throwable> seen = new HashSet<>();
    ahead.add(failure);
    while (!ahead.isEmpty()) {
      Throwable each = ahead.remove();
      if (!seen.add(each)) {
        continue;
      }
      if (each instanceof OutOfMemoryError) {
        return Optional.of(memory(String.valueOf(each.getMessage())));
      }
      if (String.valueOf(each.getMessage()).contains(TOO_MANY_FILES)) {
        return Optional.of(
            "the process may open no more files (%s); raise the limit, for instance with 'ulimit -n 1024'"
                .formatted(TOO_MANY_FILES.toLowerCase(Locale.ROOT)));
      }
      if (each.getCause() != null) {
        ahead.add(each.getCause());
      }
      ahead.addAll(Arrays.asList(each.getSuppressed()));
    }
    return Optional.empty();
  }

  /** The JVM has several kinds of memory, each with an option of its own. */
  private static String memory(String message) {
    String kind = message.toLowerCase(Locale.ROOT);
    if (kind.contains("direct buffer")) {
      return raise("the memory for direct buffers is full", message, "-XX:MaxDirectMemorySize=4g");
    }
    if (kind.contains("compressed class space")) {
      return raise("the space for classes is full", message, "-XX:CompressedClassSpaceSize=1g");
    }
    if (kind.contains("metaspace")) {
      return raise("the space for classes is full", message, "-XX:MaxMetaspaceSize=512m");
    }
    if (kind.contains("native thread")) {
      return "the system starts no more threads (%s); raise its limit, for instance with 'ulimit -u 4096'"
          .formatted(message);
    }
    if (kind.contains("map failed")) {
      return "the system maps no more files into memory (%s); raise its limits 'ulimit -v' and vm.max_map_count"
          .formatted(message);
    }
    return raise("the heap is full", message, "-Xmx4g");
  }

  private static String raise(String what, String message, String option) {
    return "%s (%s); give it more with KVANT_JAVA_OPTS=%s".formatted(what, message, option);
  }
}
