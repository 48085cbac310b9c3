package dev.kvant.backend.compressedtensors;

import dev.kvant.spi.ModuleFamily;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which modules serving engines merge into one: they multiply an input by them at once. */
final class MergedModules {

  private static final Set<ModuleFamily> MERGED =
      EnumSet.of(
          ModuleFamily.QKV_PROJ,
          ModuleFamily.QUERY_KEY_VALUE,
          ModuleFamily.GATE_UP_PROJ,
          ModuleFamily.W1_W3);

  private static final Pattern EXPERT = Pattern.compile("(.*\\bexperts)\\.\\d+\\..*");

  private MergedModules() {}

  /** A name for what a module is merged into; empty if it is merged with none. */
  static Optional<String> of(String module) {
    Matcher expert = EXPERT.matcher(module);
    if (expert.matches()) {
      return Optional.of(expert.group(1));
    }
    return product(module);
  }

  /** A name for the matrix that a module's weight becomes rows of; empty if it stays alone. */
  static Optional<String> product(String module) {
    return ModuleFamily.of(module).filter(MERGED::contains).map(family -> family.in(module));
  }
}
