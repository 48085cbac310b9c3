package dev.kvant.runtime.plan;

import dev.kvant.api.ModuleDescription;
import dev.kvant.api.ModulePattern;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The modules that a text of the configuration selects: those of exactly that name if there are
 * any, or else all that it matches as a pattern.
 *
 * <p>Names of modules may contain the characters of patterns, as in {@code layers[0]/MatMul}.
 */
final class ModuleSelector {

  private static final Pattern SPECIAL = Pattern.compile("[*?\\[]");

  private final ModulePattern pattern;
  private final @Nullable String exactName;

  private ModuleSelector(ModulePattern pattern, @Nullable String exactName) {
    this.pattern = pattern;
    this.exactName = exactName;
  }

  /** The selector for a text among the names that the modules of a model have. */
  static ModuleSelector of(String text, Set<String> names) {
    boolean isExact = SPECIAL.matcher(text).find() && names.contains(text);
    return new ModuleSelector(ModulePattern.of(text), isExact ? text : null);
  }

  /** The selectors for texts, in their order. */
  static List<ModuleSelector> all(Collection<String> texts, Set<String> names) {
    return texts.stream().map(text -> of(text, names)).toList();
  }

  /** All names that modules answer to. */
  static Set<String> names(Collection<ModuleDescription> modules) {
    Set<String> names = new HashSet<>();
    modules.forEach(module -> names.addAll(module.names()));
    return names;
  }

  /** Whether it selects a module, by one of its names or else by one of its classes. */
  boolean selects(ModuleDescription module) {
    return exactName == null ? pattern.matches(module) : module.names().contains(exactName);
  }

  /** Whether it is a name or the name of a class, and no pattern. */
  boolean isName() {
    return exactName == null && !SPECIAL.matcher(toString()).find();
  }

  /** Whether it selects a module by its class of that name. */
  boolean selectsType(String type) {
    return exactName == null && pattern.matchesType(type);
  }

  /** Whether it selects a module by one of its names. */
  boolean selectsByName(ModuleDescription module) {
    return exactName == null
        ? module.names().stream().anyMatch(pattern::matches)
        : module.names().contains(exactName);
  }

  /** The text as it was written. */
  @Override
  public String toString() {
    return pattern.toString();
  }
}
