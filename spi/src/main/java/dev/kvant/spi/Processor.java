package dev.kvant.spi;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * What a processor can do with models that multiply integers.
 *
 * @param architecture as in the system property {@code os.arch}
 * @param flags the instructions that the operating system says it has; empty where it does not say,
 *     as outside Linux
 * @param model the name of the processor as the operating system says it; empty where it does not
 * @since 0.1.0
 */
public record Processor(String architecture, Optional<Set<String>> flags, Optional<String> model) {

  private static final Path DESCRIPTION = Path.of("/proc/cpuinfo");
  private static final Set<String> VNNI = Set.of("avx512_vnni", "avx_vnni");

  public Processor {
    Objects.requireNonNull(architecture, "architecture");
    flags = flags.map(Set::copyOf);
    Objects.requireNonNull(model, "model");
  }

  /** Read when it is first asked for: the description has a page for each core. */
  private static final class OfThisProcess {

    private static final Processor KNOWN = read();

    private static Processor read() {
      String architecture = architectureOfThisProcess();
      try {
        return of(architecture, Files.readAllLines(DESCRIPTION));
      } catch (IOException e) {
        // Not Linux.
        return new Processor(architecture, Optional.empty(), Optional.empty());
      }
    }
  }

  /** That of this process. */
  public static Processor ofThisProcess() {
    return OfThisProcess.KNOWN;
  }

  /** The architecture alone, for which no file is read. */
  public static String architectureOfThisProcess() {
    return System.getProperty("os.arch");
  }

  /**
   * One that Linux describes.
   *
   * @param description the lines of {@code /proc/cpuinfo}
   */
  public static Processor of(String architecture, List<String> description) {
    return new Processor(
        architecture,
        value(description, "flags").map(flags -> Set.copyOf(List.of(flags.split("\\s+")))),
        value(description, "model name"));
  }

  private static Optional<String> value(List<String> description, String key) {
    return description.stream()
        .filter(line -> line.startsWith(key))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst();
  }

  /** Whether it is an x86-64 processor. */
  public boolean isX86() {
    return isX86(architecture);
  }

  /** Whether processors of an architecture are x86-64 processors. */
  public static boolean isX86(String architecture) {
    return List.of("amd64", "x86_64").contains(architecture);
  }

  /**
   * Whether it adds pairs of products of uint8 and int8 in 16 bits, which can overflow: x86-64
   * processors without VNNI do. False where its instructions are not known.
   */
  public boolean addsProductsIn16Bits() {
    return isX86() && flags.filter(known -> known.stream().noneMatch(VNNI::contains)).isPresent();
  }
}
