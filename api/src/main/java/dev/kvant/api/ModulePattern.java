package dev.kvant.api;

import java.util.Objects;
import java.util.regex.Pattern;

/**
 * A shell-style pattern over module names, with the rules of Python's {@code fnmatchcase}.
 *
 * <p>{@code *} matches any characters, including dots; {@code ?} matches one character; {@code
 * [seq]} one character of a set with ranges; {@code [!seq]} one character outside of it. Matching
 * is case-sensitive, and the whole name must match. A {@code [} without its {@code ]} matches
 * itself. A leading {@code nn.} or {@code torch.nn.} of a class name is ignored: {@code nn.Linear}
 * means {@code Linear}.
 *
 * @since 0.1.0
 */
public final class ModulePattern {

  private static final Pattern TORCH_CLASS =
      Pattern.compile("(?:torch\\.)?nn\\.(?:modules\\.(?:\\w+\\.)*)?([A-Z]\\w*)");

  private final String text;
  private final Pattern names;
  private final Pattern types;

  private ModulePattern(String text) {
    this.text = text;
    this.names = Pattern.compile(toRegex(text), Pattern.DOTALL);
    var torchClass = TORCH_CLASS.matcher(text);
    this.types =
        torchClass.matches()
            ? Pattern.compile(toRegex(torchClass.group(1)), Pattern.DOTALL)
            : names;
  }

  /**
   * Compiles a pattern.
   *
   * @throws IllegalArgumentException if the pattern is empty
   */
  public static ModulePattern of(String pattern) {
    Objects.requireNonNull(pattern, "pattern");
    if (pattern.isBlank()) {
      throw new IllegalArgumentException(
          "pattern: must not be empty; use '*' to match every module");
    }
    return new ModulePattern(pattern);
  }

  /** Whether a qualified name matches as a whole. */
  public boolean matches(String name) {
    return names.matcher(name).matches();
  }

  /** Whether a simple class name matches as a whole. */
  public boolean matchesType(String type) {
    return types.matcher(type).matches();
  }

  /**
   * Whether one of the module's names or class names matches. The root module, whose name is empty,
   * never matches.
   */
  public boolean matches(ModuleDescription module) {
    if (module.name().isEmpty()) {
      return false;
    }
    return module.names().stream().anyMatch(this::matches)
        || module.types().stream().anyMatch(this::matchesType);
  }

  private static String toRegex(String glob) {
    var regex = new StringBuilder();
    int i = 0;
    while (i < glob.length()) {
      char c = glob.charAt(i++);
      switch (c) {
        case '*' -> regex.append(".*");
        case '?' -> regex.append('.');
        case '[' -> {
          int end = endOfSet(glob, i);
          if (end < 0) {
            regex.append("\\[");
          } else {
            regex.append(setToRegex(glob.substring(i, end)));
            i = end + 1;
          }
        }
        default -> regex.append(isSpecial(c) ? "\\" : "").append(c);
      }
    }
    return regex.toString();
  }

  private static boolean isSpecial(char c) {
    return c < 128 && !Character.isLetterOrDigit(c);
  }

  /** Index of the bracket that closes a set whose content starts at {@code start}, or -1. */
  private static int endOfSet(String glob, int start) {
    int j = start;
    if (j < glob.length() && glob.charAt(j) == '!') {
      j++;
    }
    if (j < glob.length() && glob.charAt(j) == ']') {
      j++;
    }
    return glob.indexOf(']', j);
  }

  private static String setToRegex(String content) {
    boolean negated = content.startsWith("!");
    String members = negated ? content.substring(1) : content;
    var set = new StringBuilder();
    int i = 0;
    while (i < members.length()) {
      int from = members.codePointAt(i);
      i += Character.charCount(from);
      if (i + 1 < members.length() && members.charAt(i) == '-') {
        int to = members.codePointAt(i + 1);
        i += 1 + Character.charCount(to);
        if (from <= to) {
          set.append(escaped(from)).append('-').append(escaped(to));
        }
      } else {
        set.append(escaped(from));
      }
    }
    if (set.length() == 0) {
      return negated ? "." : "(?!)";
    }
    return (negated ? "[^" : "[") + set + "]";
  }

  private static String escaped(int codePoint) {
    return String.format("\\x{%x}", codePoint);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ModulePattern pattern && text.equals(pattern.text);
  }

  @Override
  public int hashCode() {
    return text.hashCode();
  }

  /** The pattern as written. */
  @Override
  public String toString() {
    return text;
  }
}
