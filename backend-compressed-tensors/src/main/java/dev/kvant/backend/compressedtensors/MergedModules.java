package dev.kvant.backend.compressedtensors;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which modules serving engines merge into one: they multiply an input by them at once. */
final class MergedModules {

  private static final List<Set<String>> MERGED =
      List.of(
          Set.of("q_proj", "k_proj", "v_proj"),
          Set.of("query", "key", "value"),
          Set.of("gate_proj", "up_proj"),
          Set.of("w1", "w3"));

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
    int dot = module.lastIndexOf('.');
    String name = module.substring(dot + 1);
    return MERGED.stream()
        .filter(names -> names.contains(name))
        .findFirst()
        .map(names -> module.substring(0, dot + 1) + MERGED.indexOf(names));
  }
}
