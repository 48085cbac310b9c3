package dev.kvant.backend.modelopt;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a processor can do with an archive that multiplies integers.
 *
 * @param architecture as in the system property {@code os.arch}
 * @param flags what the operating system says that it can, if it says it
 */
record Processor(String architecture, Optional<Set<String>> flags) {

  private static final Path DESCRIPTION = Path.of("/proc/cpuinfo");
  private static final Set<String> VNNI = Set.of("avx512_vnni", "avx_vnni");

  /** That of this process. */
  static Processor ofThisProcess() {
    String architecture = architectureOfThisProcess();
    try {
      return of(architecture, Files.readAllLines(DESCRIPTION));
    } catch (IOException e) {
      // Not Linux.
      return new Processor(architecture, Optional.empty());
    }
  }

  /** The architecture alone, for which no file is read. */
  static String architectureOfThisProcess() {
    return System.getProperty("os.arch");
  }

  /** One that Linux describes by these lines. */
  static Processor of(String architecture, List<String> description) {
    return new Processor(
        architecture,
        description.stream()
            .filter(line -> line.startsWith("flags"))
            .map(line -> Set.copyOf(List.of(line.substring(line.indexOf(':') + 1).split("\\s+"))))
            .findFirst());
  }

  /** Whether libtorch multiplies packed integers on it. */
  boolean isX86() {
    return isX86(architecture);
  }

  /** Whether libtorch multiplies packed integers on processors of an architecture. */
  static boolean isX86(String architecture) {
    return List.of("amd64", "x86_64").contains(architecture);
  }

  /** What speaks against running such an archive on it. */
  Optional<String> objection() {
    if (!isX86()) {
      return Optional.of(
          "it multiplies integers as x86-64 processors do, and cannot run on this one (%s)"
              .formatted(architecture));
    }
    return flags
        .filter(known -> known.stream().noneMatch(VNNI::contains))
        .map(
            known ->
                "it multiplies integers, and this processor has no VNNI: libtorch adds pairs of"
                    + " products in 16 bits, which can overflow, so look at its accuracy here");
  }
}
