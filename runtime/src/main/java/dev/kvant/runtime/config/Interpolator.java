package dev.kvant.runtime.config;

import dev.kvant.validation.NearestNames;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Follows OmegaConf's interpolations when a value is read, and never before: {@code ${a.b}} from
 * the root, {@code ${.x}} and {@code ${..x}} from the section that a value stands in and the one
 * around it, {@code ${oc.env:NAME,default}} from the environment, nested and inside of texts.
 */
final class Interpolator {

  /** Far more than any value needs; a few texts that double each other would take for ever. */
  private static final int MOST_STEPS = 10_000;

  /** As a bound on all values together. */
  private static final int MOST_CHARACTERS = 20_000_000;

  private static final int LONGEST_TEXT = 100_000;

  /** How many references may lead to each other or stand inside of each other. */
  private static final int DEEPEST = 100;

  private final Node root;
  private final Function<String, @Nullable String> environment;
  private int characters;

  /**
   * @param root the whole document
   * @param environment gives the value of an environment variable, or null
   */
  Interpolator(Node root, Function<String, @Nullable String> environment) {
    this.root = root;
    this.environment = environment;
  }

  /** Whether a text has something to resolve or to unescape. */
  static boolean concerns(String text) {
    return text.contains("${");
  }

  /** The node that a node stands for: itself, unless it is a text with an interpolation. */
  Located resolve(Located located) throws Unresolvable {
    return new Reading().resolve(located);
  }

  /** One value being read, with all that it refers to on the way. */
  private final class Reading {

    private final Set<KeyPath> underway = new LinkedHashSet<>();
    private int steps;
    private int depth;

    Located resolve(Located located) throws Unresolvable {
      if (!(located.node() instanceof Node.Scalar scalar)
          || !(scalar.value() instanceof String text)
          || !concerns(text)) {
        return located;
      }
      characters += text.length();
      if (++steps > MOST_STEPS || characters > MOST_CHARACTERS) {
        throw new Unresolvable(
            "'%s' leads to too many further references".formatted(Shortened.of(text)));
      }
      if (!underway.add(located.path())) {
        throw new Unresolvable(
            "the references go round in a circle: %s"
                .formatted(
                    String.join(" -> ", underway.stream().map(KeyPath::toString).toList())
                        + " -> "
                        + located.path()));
      }
      Located result = new Expression(text, located.path()).evaluate();
      underway.remove(located.path());
      return result;
    }

    private Located reference(KeyPath from, int dots, KeyPath further, String written)
        throws Unresolvable {
      if (dots > from.keys().size()) {
        throw new Unresolvable(
            "'%s' points above the document's root".formatted(Shortened.of(written)));
      }
      KeyPath start = dots == 0 ? KeyPath.ROOT : from.up(dots);
      Located at = find(start, new Located(KeyPath.ROOT, root), written);
      at = find(further, at, written);
      if (at.node() instanceof Node.Scalar scalar && scalar.isMissing()) {
        throw new Unresolvable(
            "'%s' refers to '%s', which must be given: it is '%s' in the document"
                .formatted(Shortened.of(written), at.path(), Node.MISSING));
      }
      return at;
    }

    private Located find(KeyPath path, Located from, String written) throws Unresolvable {
      Located at = resolve(from);
      for (String key : path.keys()) {
        at = resolve(child(at, key, written));
      }
      return at;
    }

    private Located child(Located parent, String key, String written) throws Unresolvable {
      if (parent.node() instanceof Node.Mapping mapping) {
        Node child = mapping.entries().get(key);
        if (child != null) {
          return new Located(parent.path().key(key), child);
        }
        List<String> nearest = NearestNames.of(key, mapping.entries().keySet(), 1);
        throw new Unresolvable(
            "'%s' refers to '%s', which is not in the document%s"
                .formatted(
                    Shortened.of(written),
                    Shortened.of(parent.path().key(key).toString()),
                    nearest.isEmpty() ? "" : "; did you mean '" + nearest.get(0) + "'?"));
      }
      if (parent.node() instanceof Node.Sequence sequence) {
        int index = KeyPath.index(key);
        if (index >= 0 && index < sequence.items().size()) {
          return new Located(parent.path().index(index), sequence.items().get(index));
        }
        throw new Unresolvable(
            "'%s' refers to entry '%s' of '%s', which has %d entries"
                .formatted(
                    Shortened.of(written),
                    Shortened.of(key),
                    parent.path(),
                    sequence.items().size()));
      }
      throw new Unresolvable(
          "'%s' refers to '%s' inside of '%s', which is %s"
              .formatted(
                  Shortened.of(written), Shortened.of(key), parent.path(), parent.node().kind()));
    }

    /** A text with interpolations, evaluated while it is read. */
    private final class Expression {

      private final String text;
      private final KeyPath at;
      private int position;

      Expression(String text, KeyPath at) {
        this.text = text;
        this.at = at;
      }

      /** The whole text: a single interpolation gives its node, all else becomes a text. */
      Located evaluate() throws Unresolvable {
        StringBuilder result = new StringBuilder();
        Located only = null;
        int parts = 0;
        while (position < text.length()) {
          int literal = result.length();
          boolean interpolated = literal(result);
          parts += result.length() > literal ? 1 : 0;
          if (interpolated) {
            Located value = interpolation();
            parts++;
            only = value;
            append(result, value, parts > 1 || position < text.length());
          }
        }
        return only != null && parts == 1
            ? only
            : new Located(at, Node.Scalar.of(result.toString()));
      }

      /**
       * Copies up to the next interpolation and steps into it; false if there is none. Of
       * backslashes before a dollar and a brace, two are one, and a single one escapes.
       */
      private boolean literal(StringBuilder result) {
        int start = text.indexOf("${", position);
        if (start < 0) {
          result.append(text, position, text.length());
          position = text.length();
          return false;
        }
        int slashes = start;
        while (slashes > position && text.charAt(slashes - 1) == '\\') {
          slashes--;
        }
        int count = start - slashes;
        result.append(text, position, slashes + count / 2);
        // Halving keeps the first half of the backslashes, which are all alike.
        position = start + 2;
        if (count % 2 == 1) {
          result.append("${");
          return false;
        }
        return true;
      }

      private void append(StringBuilder result, Located value, boolean insideOfText)
          throws Unresolvable {
        if (value.node() instanceof Node.Scalar scalar) {
          result.append(asText(scalar));
        } else if (insideOfText) {
          throw new Unresolvable(
              "'%s' puts %s into a text".formatted(Shortened.of(text), value.node().kind()));
        }
        if (result.length() > LONGEST_TEXT) {
          throw new Unresolvable("'%s' becomes too long".formatted(Shortened.of(text)));
        }
      }

      /** What stands between the opening brace, already passed, and the closing one. */
      private Located interpolation() throws Unresolvable {
        if (++depth > DEEPEST) {
          throw new Unresolvable(
              "'%s' leads to more than %d references, each to the next"
                  .formatted(Shortened.of(text), DEEPEST));
        }
        Located value = insideOfBraces();
        depth--;
        return value;
      }

      private Located insideOfBraces() throws Unresolvable {
        StringBuilder key = new StringBuilder();
        while (position < text.length()) {
          char c = text.charAt(position);
          if (text.startsWith("${", position)) {
            position += 2;
            append(key, interpolation(), true);
          } else if (c == '}') {
            position++;
            return node(key.toString().strip());
          } else if (c == ':') {
            position++;
            return resolver(key.toString().strip());
          } else {
            key.append(c);
            position++;
          }
        }
        throw unfinished();
      }

      private Located node(String written) throws Unresolvable {
        int dots = 0;
        while (dots < written.length() && written.charAt(dots) == '.') {
          dots++;
        }
        try {
          return reference(at, dots, KeyPath.parse(written.substring(dots)), "${" + written + "}");
        } catch (IllegalArgumentException e) {
          throw new Unresolvable(
              "'%s' is not understood: %s".formatted(Shortened.of(text), e.getMessage()));
        }
      }

      private Located resolver(String name) throws Unresolvable {
        List<Argument> arguments = arguments();
        if (!name.equals("oc.env")) {
          throw new Unresolvable(
              "'%s' uses the resolver '%s', which Kvant does not know; it knows oc.env"
                  .formatted(Shortened.of(text), Shortened.of(name)));
        }
        if (arguments.size() > 2 || arguments.get(0).text().isEmpty()) {
          throw new Unresolvable(
              "'%s' is not understood: write ${oc.env:NAME} or ${oc.env:NAME,default}"
                  .formatted(Shortened.of(text)));
        }
        String variable = arguments.get(0).text();
        String value = environment.apply(variable);
        if (value != null) {
          return new Located(at, Node.Scalar.of(value));
        }
        if (arguments.size() < 2) {
          throw new Unresolvable(
              "'%s' needs the environment variable %s, which is not set"
                  .formatted(Shortened.of(text), variable));
        }
        Argument fallback = arguments.get(1);
        return new Located(
            at,
            fallback.isNull() ? new Node.Scalar(null, "null", 0) : Node.Scalar.of(fallback.text()));
      }

      private List<Argument> arguments() throws Unresolvable {
        List<Argument> arguments = new ArrayList<>();
        StringBuilder argument = new StringBuilder();
        boolean quoted = false;
        while (position < text.length()) {
          char c = text.charAt(position);
          if (text.startsWith("${", position)) {
            position += 2;
            append(argument, interpolation(), true);
          } else if (c == ',' || c == '}') {
            position++;
            arguments.add(
                new Argument(quoted ? argument.toString() : argument.toString().strip(), quoted));
            if (c == '}') {
              return arguments;
            }
            argument.setLength(0);
            quoted = false;
          } else if ((c == '\'' || c == '"') && argument.toString().isBlank()) {
            argument.setLength(0);
            quoted = true;
            position++;
            quotation(c, argument);
          } else if (quoted && Character.isWhitespace(c)) {
            position++;
          } else {
            argument.append(c);
            position++;
          }
        }
        throw unfinished();
      }

      private void quotation(char quote, StringBuilder into) throws Unresolvable {
        while (position < text.length()) {
          char c = text.charAt(position);
          if (text.startsWith("${", position)) {
            position += 2;
            append(into, interpolation(), true);
            continue;
          }
          position++;
          if (c == quote) {
            return;
          }
          if (c == '\\' && position < text.length() && text.charAt(position) == quote) {
            c = quote;
            position++;
          }
          into.append(c);
        }
        throw unfinished();
      }

      private Unresolvable unfinished() {
        return new Unresolvable("'%s' has a '${' without its '}'".formatted(Shortened.of(text)));
      }
    }
  }

  /** How OmegaConf, and Python behind it, spells a value inside of a text. */
  private static String asText(Node.Scalar scalar) {
    Object value = scalar.value();
    if (value == null) {
      return "None";
    }
    if (value instanceof Boolean truth) {
      return truth ? "True" : "False";
    }
    return value.toString();
  }

  /** One argument of a resolver. */
  private record Argument(String text, boolean quoted) {

    boolean isNull() {
      return !quoted && text.equals("null");
    }
  }
}
