package dev.kvant.runtime.config;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.validation.NearestNames;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One mapping of a document as a binder reads it, key by key. Whatever is wrong becomes a problem,
 * and reading goes on with nothing in its place. A key whose value is null counts as absent.
 *
 * <p>An unknown key is a problem. It is read as the known key that it resembles most, if that is
 * absent, so that nothing is missed in its place and all that is wrong with its value is told too.
 */
final class Section {

  private static final Set<String> TRUE = Set.of("true", "yes", "on", "y", "1");
  private static final Set<String> FALSE = Set.of("false", "no", "off", "n", "0");

  /** The longest path that systems have; nothing else in a configuration is longer. */
  private static final int LONGEST_TEXT = 4096;

  private final Located located;
  private final KeyPath shown;
  private final Interpolator interpolator;
  private final List<ConfigurationProblem> problems;
  private final @Nullable ConfigKeys keys;

  /** What is misspelt, by what was meant. */
  private final Map<String, String> misspelt = new HashMap<>();

  /**
   * @param located the mapping, resolved, and where it stands
   * @param shown its path in problems, which is where it was read and not where it was written
   * @param interpolator resolves what is read
   * @param problems where problems go
   * @param keys the known keys; null if any key may stand in it
   */
  Section(
      Located located,
      KeyPath shown,
      Interpolator interpolator,
      List<ConfigurationProblem> problems,
      @Nullable ConfigKeys keys) {
    this.located = located;
    this.shown = shown;
    this.interpolator = interpolator;
    this.problems = problems;
    this.keys = keys;
    if (keys != null) {
      findMisspelt(keys);
    }
  }

  private void findMisspelt(ConfigKeys keys) {
    for (String key : keys()) {
      if (keys.indexOf(key) < 0) {
        NearestNames.of(key, keys.names(), 1).stream()
            .filter(meant -> !keys().contains(meant))
            .forEach(meant -> misspelt.putIfAbsent(meant, key));
      }
    }
  }

  /** Makes a problem of every key that is unknown. */
  void rejectUnknownKeys() {
    List<String> known = keys == null ? List.copyOf(keys()) : keys.names();
    mapping()
        .entries()
        .forEach(
            (key, node) -> {
              if (!known.contains(key)) {
                problem(shown.key(key), unknown(key, node, known));
              }
            });
  }

  private static String unknown(String key, Node node, List<String> known) {
    String line = node.line() == 0 ? "" : " (line " + node.line() + ")";
    List<String> nearest = NearestNames.of(key, known, 1);
    return nearest.isEmpty()
        ? "is unknown%s; known here: %s".formatted(line, String.join(", ", known))
        : "is unknown%s; did you mean '%s'?".formatted(line, nearest.get(0));
  }

  /** A text; a number or truth value is taken as it was written. */
  @Nullable String text(String key) {
    Located value = value(key);
    return value == null ? null : text(value, shown(key));
  }

  /** A text that is read by a function, whose {@link IllegalArgumentException} is a problem. */
  <T> @Nullable T parsed(String key, Function<String, T> parser) {
    String text = text(key);
    if (text == null) {
      return null;
    }
    try {
      return parser.apply(text);
    } catch (IllegalArgumentException e) {
      problem(shown(key), String.valueOf(e.getMessage()));
      return null;
    }
  }

  /** A truth value; texts in use for them are taken too. */
  @Nullable Boolean truth(String key) {
    Located value = value(key);
    if (value == null) {
      return null;
    }
    if (value.node() instanceof Node.Scalar scalar) {
      if (scalar.value() instanceof Boolean truth) {
        return truth;
      }
      String word = scalar.text().toLowerCase(Locale.ROOT);
      if (TRUE.contains(word)) {
        return true;
      }
      if (FALSE.contains(word)) {
        return false;
      }
    }
    problem(shown(key), "must be true or false, but is " + value.node().kind());
    return null;
  }

  /** A whole number; one written as text is taken too. */
  @Nullable Integer integer(String key) {
    Located value = value(key);
    return value == null ? null : integer(value, shown(key));
  }

  /** A number; one written as text is taken too. */
  @Nullable Double number(String key) {
    Located value = value(key);
    return value == null ? null : number(value, shown(key));
  }

  /** A list of whole numbers; a single one is a list of one. */
  @Nullable List<Integer> integers(String key) {
    return list(key, true, this::integer);
  }

  /** A list of numbers; a single one is a list of one. */
  @Nullable List<Double> numbers(String key) {
    return list(key, true, this::number);
  }

  /** A list of texts. */
  @Nullable List<String> texts(String key) {
    return list(key, false, this::text);
  }

  /** A list of mappings; what is none is a problem and stands as null, so that positions count. */
  List<@Nullable Section> sections(String key) {
    Located value = value(key);
    List<@Nullable Section> sections = new ArrayList<>();
    if (value == null) {
      return sections;
    }
    if (!(value.node() instanceof Node.Sequence sequence)) {
      problem(shown(key), "must be a list, but is " + value.node().kind());
      return sections;
    }
    for (int i = 0; i < sequence.items().size(); i++) {
      KeyPath path = shown(key).index(i);
      Located item = resolve(new Located(value.path().index(i), sequence.items().get(i)), path);
      sections.add(item == null ? null : section(item, path, inside(key)));
    }
    return sections;
  }

  /** A mapping. */
  @Nullable Section section(String key) {
    Located value = value(key);
    return value == null ? null : section(value, shown(key), inside(key));
  }

  /** A mapping with those keys. */
  @Nullable Section section(String key, ConfigKeys inside) {
    Located value = value(key);
    return value == null ? null : section(value, shown(key), inside);
  }

  /** A mapping, or a list that holds just one. */
  @Nullable Section sectionOrListOfOne(String key) {
    Located value = value(key);
    if (value == null || !(value.node() instanceof Node.Sequence sequence)) {
      return value == null ? null : section(value, shown(key), inside(key));
    }
    KeyPath path = shown(key);
    if (sequence.items().isEmpty()) {
      return null;
    }
    if (sequence.items().size() > 1) {
      problem(path, "must be one mapping, but is a list of %d".formatted(sequence.items().size()));
      return null;
    }
    Located item =
        resolve(new Located(value.path().index(0), sequence.items().get(0)), path.index(0));
    return item == null ? null : section(item, path.index(0), inside(key));
  }

  /** A mapping of whatever keys to texts. */
  Map<String, String> textByKey(String key) {
    Map<String, String> texts = new LinkedHashMap<>();
    Section section = section(key);
    if (section != null) {
      for (String name : section.keys()) {
        String text = section.text(name);
        if (text != null) {
          texts.put(name, text);
        }
      }
    }
    return texts;
  }

  /** A mapping of whatever keys to whatever values, which somebody else will judge. */
  Map<String, Object> anything(String key) {
    Map<String, Object> values = new LinkedHashMap<>();
    Section section = section(key);
    if (section != null) {
      for (String name : section.keys()) {
        Located value = section.value(name);
        if (value != null) {
          section.addTo(values, name, value);
        }
      }
    }
    return values;
  }

  /** The values of some keys, whatever they are, which somebody else will judge. */
  Map<String, Object> anythingUnder(Set<String> keys) {
    Map<String, Object> values = new LinkedHashMap<>();
    for (String key : keys) {
      Located value = value(key);
      if (value != null) {
        addTo(values, key, value);
      }
    }
    return values;
  }

  private void addTo(Map<String, Object> values, String key, Located value) {
    try {
      // A single value has been resolved: once more, an escaped interpolation would become one.
      Object converted =
          value.node() instanceof Node.Scalar scalar
              ? scalar.value()
              : JavaValues.of(value, interpolator);
      if (converted != null) {
        values.put(key, converted);
      }
    } catch (Unresolvable e) {
      problem(shown(key), message(e));
    }
  }

  /** Whether there is a value other than null under a key; reads nothing. */
  boolean has(String key) {
    Node node = mapping().entries().get(written(key));
    return node != null && !(node instanceof Node.Scalar scalar && scalar.value() == null);
  }

  /** Says that a value is wrong. */
  void problem(String key, String message) {
    problem(shown(key), message);
  }

  private void problem(KeyPath path, String message) {
    problems.add(new ConfigurationProblem(path.toString(), message));
  }

  private Set<String> keys() {
    return mapping().entries().keySet();
  }

  private Node.Mapping mapping() {
    return (Node.Mapping) located.node();
  }

  /** A key as it is spelt in the document. */
  private String written(String key) {
    return misspelt.getOrDefault(key, key);
  }

  private KeyPath shown(String key) {
    return shown.key(written(key));
  }

  private @Nullable Located value(String key) {
    Node node = mapping().entries().get(written(key));
    return node == null
        ? null
        : resolve(new Located(located.path().key(written(key)), node), shown(key));
  }

  /** What a node stands for; null if that is null or cannot be told. */
  private @Nullable Located resolve(Located unresolved, KeyPath path) {
    try {
      Located value = interpolator.resolve(unresolved);
      if (value.node() instanceof Node.Scalar scalar) {
        if (scalar.isMissing()) {
          problem(path, "must be given: it is '%s' in the document".formatted(Node.MISSING));
          return null;
        }
        if (scalar.text().length() > LONGEST_TEXT) {
          problem(
              path,
              "has %d characters; at most %d are read"
                  .formatted(scalar.text().length(), LONGEST_TEXT));
          return null;
        }
        return scalar.value() == null ? null : value;
      }
      return value;
    } catch (Unresolvable e) {
      problem(path, message(e));
      return null;
    }
  }

  private @Nullable ConfigKeys inside(String key) {
    return keys == null ? null : keys.inside(key);
  }

  private @Nullable Section section(Located value, KeyPath path, @Nullable ConfigKeys inside) {
    if (value.node() instanceof Node.Mapping) {
      return new Section(value, path, interpolator, problems, inside);
    }
    problem(path, "must be a mapping, but is " + value.node().kind());
    return null;
  }

  private <T> @Nullable List<T> list(String key, boolean orSingle, ItemReader<T> reader) {
    Located value = value(key);
    if (value == null) {
      return null;
    }
    KeyPath path = shown(key);
    List<T> items = new ArrayList<>();
    if (value.node() instanceof Node.Sequence sequence) {
      for (int i = 0; i < sequence.items().size(); i++) {
        Located item =
            resolve(new Located(value.path().index(i), sequence.items().get(i)), path.index(i));
        T read = item == null ? null : reader.read(item, path.index(i));
        if (read != null) {
          items.add(read);
        }
      }
      return items;
    }
    if (orSingle && value.node() instanceof Node.Scalar) {
      T read = reader.read(value, path);
      return read == null ? null : List.of(read);
    }
    problem(path, "must be a list, but is " + value.node().kind());
    return null;
  }

  private @Nullable String text(Located value, KeyPath path) {
    if (value.node() instanceof Node.Scalar scalar) {
      return scalar.text();
    }
    problem(path, "must be a text, but is " + value.node().kind());
    return null;
  }

  private @Nullable Integer integer(Located value, KeyPath path) {
    if (value.node() instanceof Node.Scalar scalar) {
      if (scalar.value() instanceof Integer number) {
        return number;
      }
      if (scalar.value() instanceof Long || scalar.value() instanceof BigInteger) {
        problem(
            path,
            "must be from %d to %d, but is %s"
                .formatted(Integer.MIN_VALUE, Integer.MAX_VALUE, value.node().kind()));
        return null;
      }
      if (scalar.value() instanceof String text) {
        try {
          return Integer.valueOf(text.strip());
        } catch (NumberFormatException e) {
          problem(path, "must be a whole number, but is " + value.node().kind());
          return null;
        }
      }
    }
    problem(path, "must be a whole number, but is " + value.node().kind());
    return null;
  }

  private @Nullable Double number(Located value, KeyPath path) {
    if (value.node() instanceof Node.Scalar scalar) {
      if (scalar.value() instanceof Number number) {
        return number.doubleValue();
      }
      if (scalar.value() instanceof String text) {
        try {
          return Double.valueOf(text.strip());
        } catch (NumberFormatException e) {
          problem(path, "must be a number, but is " + value.node().kind());
          return null;
        }
      }
    }
    problem(path, "must be a number, but is " + value.node().kind());
    return null;
  }

  private static String message(Unresolvable e) {
    return String.valueOf(e.getMessage());
  }

  @FunctionalInterface
  private interface ItemReader<T> {
    @Nullable T read(Located value, KeyPath path);
  }
}
