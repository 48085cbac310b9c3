package dev.kvant.runtime.config;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.InvalidConfigurationException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One value put into a document from outside, as in {@code quantize.layers[0].weights.dtype=int8}.
 *
 * @param path where, from the root
 * @param value what
 * @param adds whether the key may be new to a section that Kvant does not know
 * @param written the whole as it was given, for errors
 */
record Edit(KeyPath path, Node value, boolean adds, String written) {

  /**
   * Reads overrides in Hydra's way: {@code key=value} sets, {@code +key=value} may add; the value
   * is YAML.
   *
   * @throws InvalidConfigurationException with all that cannot be read
   */
  static List<Edit> parse(List<String> written) {
    List<Edit> overrides = new ArrayList<>();
    List<ConfigurationProblem> problems = new ArrayList<>();
    for (String one : written) {
      try {
        overrides.add(parse(one));
      } catch (InvalidConfigurationException e) {
        problems.addAll(e.problems());
      } catch (IllegalArgumentException e) {
        problems.add(
            new ConfigurationProblem(
                "",
                "the override '%s' is not understood: %s"
                    .formatted(Shortened.of(one), e.getMessage())));
      }
    }
    if (!problems.isEmpty()) {
      throw new InvalidConfigurationException(problems);
    }
    return overrides;
  }

  private static Edit parse(String written) {
    int equals = written.indexOf('=');
    if (equals < 0) {
      throw new IllegalArgumentException("write KEY=VALUE");
    }
    String key = written.substring(0, equals).strip();
    boolean adds = key.startsWith("+");
    while (key.startsWith("+")) {
      key = key.substring(1);
    }
    return new Edit(
        KeyPath.parse(key), value(written.substring(equals + 1), written), adds, written);
  }

  private static Node value(String yaml, String written) {
    if (yaml.strip().startsWith("*")) {
      // To YAML an alias, but there is nothing here that it could be one of: it is a pattern.
      return Node.Scalar.of(yaml.strip());
    }
    Node value = YamlReader.readValue(yaml, "the override '%s'".formatted(Shortened.of(written)));
    return value == null ? new Node.Scalar(null, "null", 0) : value;
  }

  /** The tree with the value in its place; sections on the way that are not there are made. */
  Node applyTo(Node root) {
    return set(root, 0);
  }

  private Node set(Node at, int depth) {
    if (depth == path.keys().size()) {
      return value;
    }
    String key = path.keys().get(depth);
    if (at instanceof Node.Mapping mapping) {
      Node child = mapping.entries().getOrDefault(key, new Node.Mapping(Map.of(), 0));
      return mapping.with(key, set(child, depth + 1));
    }
    if (at instanceof Node.Sequence sequence) {
      int index = KeyPath.index(key);
      if (index < 0 || index >= sequence.items().size()) {
        throw problem(
            "'%s' has %d entries, so there is no entry '%s'"
                .formatted(path.up(path.keys().size() - depth), sequence.items().size(), key));
      }
      return sequence.with(index, set(sequence.items().get(index), depth + 1));
    }
    if (at instanceof Node.Scalar scalar && (scalar.value() == null || scalar.isMissing())) {
      return set(new Node.Mapping(Map.of(), 0), depth);
    }
    throw problem(
        "'%s' is %s in the document, so nothing can be set inside of it"
            .formatted(path.up(path.keys().size() - depth), at.kind()));
  }

  private InvalidConfigurationException problem(String message) {
    return new InvalidConfigurationException(
        "", "the override '%s' fits nowhere: %s".formatted(Shortened.of(written), message));
  }
}
