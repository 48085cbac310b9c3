package dev.kvant.runtime.config;

import dev.kvant.api.InvalidConfigurationException;
import java.io.StringReader;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.composer.Composer;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.parser.ParserImpl;
import org.yaml.snakeyaml.reader.StreamReader;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * Reads YAML 1.1 into a tree, the way OmegaConf does: dates are text, a key that stands twice is an
 * error, and so are tags other than those of plain values.
 */
final class YamlReader {

  private static final Set<Tag> PLAIN =
      Set.of(Tag.STR, Tag.BOOL, Tag.INT, Tag.FLOAT, Tag.NULL, Tag.TIMESTAMP);

  private final String source;
  private final boolean countsLines;
  private final LoaderOptions limits = new LoaderOptions();
  private final Scalars scalars = new Scalars(limits);

  /** Nodes that are done, by identity: an anchor's node is shared by its aliases, not repeated. */
  private final Map<org.yaml.snakeyaml.nodes.Node, Node> done = new HashMap<>();

  /** Nodes that contain the current one: meeting one again means that it contains itself. */
  private final Set<org.yaml.snakeyaml.nodes.Node> open = new HashSet<>();

  private YamlReader(String source, boolean countsLines) {
    this.source = source;
    this.countsLines = countsLines;
  }

  /**
   * The tree of a text, or null if it holds nothing.
   *
   * @param yaml the text
   * @param source what to call it in errors
   * @throws InvalidConfigurationException if it is no YAML, or YAML that means nothing here
   */
  static @Nullable Node read(String yaml, String source) {
    return new YamlReader(source, true).read(yaml);
  }

  /** The same for a value from outside of a document, which has no lines that anybody counts. */
  static @Nullable Node readValue(String yaml, String source) {
    return new YamlReader(source, false).read(yaml);
  }

  private @Nullable Node read(String yaml) {
    try {
      org.yaml.snakeyaml.nodes.Node root =
          new Composer(
                  new ParserImpl(new StreamReader(new StringReader(yaml)), limits),
                  new Resolver(),
                  limits)
              .getSingleNode();
      return root == null ? null : node(root);
    } catch (MarkedYAMLException e) {
      throw problem(e.getProblemMark(), e.getProblem());
    } catch (YAMLException e) {
      throw problem(null, e.getMessage());
    }
  }

  private Node node(org.yaml.snakeyaml.nodes.Node node) {
    Node known = done.get(node);
    if (known != null) {
      return known;
    }
    if (!open.add(node)) {
      throw problem(node.getStartMark(), "an anchor contains an alias of itself");
    }
    Node read;
    if (node instanceof MappingNode mapping && node.getTag().equals(Tag.MAP)) {
      read = mapping(mapping);
    } else if (node instanceof SequenceNode sequence && node.getTag().equals(Tag.SEQ)) {
      read = new Node.Sequence(sequence.getValue().stream().map(this::node).toList(), line(node));
    } else if (node instanceof ScalarNode scalar && PLAIN.contains(node.getTag())) {
      read = scalar(scalar);
    } else {
      throw problem(
          node.getStartMark(), "the tag '%s' means nothing here".formatted(node.getTag()));
    }
    open.remove(node);
    done.put(node, read);
    return read;
  }

  private Node scalar(ScalarNode scalar) {
    Object value =
        scalar.getTag().equals(Tag.TIMESTAMP) ? scalar.getValue() : scalars.value(scalar);
    return new Node.Scalar(value, scalar.getValue(), line(scalar));
  }

  private Node.Mapping mapping(MappingNode mapping) {
    Map<String, Node> merged = new LinkedHashMap<>();
    Map<String, Node> entries = new LinkedHashMap<>();
    Map<String, Integer> lines = new HashMap<>();
    for (NodeTuple tuple : mapping.getValue()) {
      org.yaml.snakeyaml.nodes.Node keyNode = tuple.getKeyNode();
      if (keyNode.getTag().equals(Tag.MERGE)) {
        merge(tuple.getValueNode(), merged);
        continue;
      }
      if (!(keyNode instanceof ScalarNode scalar)) {
        throw problem(keyNode.getStartMark(), "a key must be a single value");
      }
      String key = scalar.getValue();
      Integer earlier = lines.put(key, keyNode.getStartMark().getLine() + 1);
      if (earlier != null) {
        throw problem(
            keyNode.getStartMark(),
            "the key '%s' stands here and in line %d; remove one".formatted(key, earlier));
      }
      entries.put(key, node(tuple.getValueNode()));
    }
    merged.putAll(entries);
    return new Node.Mapping(merged, line(mapping));
  }

  /** {@code <<: *a} and {@code <<: [*a, *b]}: of several, the first that has a key wins. */
  private void merge(org.yaml.snakeyaml.nodes.Node from, Map<String, Node> into) {
    Set<org.yaml.snakeyaml.nodes.Node> sources = new LinkedHashSet<>();
    if (from instanceof SequenceNode sequence) {
      sources.addAll(sequence.getValue());
    } else {
      sources.add(from);
    }
    for (org.yaml.snakeyaml.nodes.Node source : sources) {
      if (!(node(source) instanceof Node.Mapping mapping)) {
        throw problem(source.getStartMark(), "only a mapping can be merged by '<<'");
      }
      mapping.entries().forEach(into::putIfAbsent);
    }
  }

  private int line(org.yaml.snakeyaml.nodes.Node node) {
    return countsLines ? node.getStartMark().getLine() + 1 : 0;
  }

  private InvalidConfigurationException problem(@Nullable Mark mark, @Nullable String message) {
    String place =
        mark == null
            ? source
            : "%s, line %d, column %d".formatted(source, mark.getLine() + 1, mark.getColumn() + 1);
    return new InvalidConfigurationException("", place + ": " + message);
  }

  /** The library's own reading of numbers and truth values. */
  private static final class Scalars extends SafeConstructor {

    Scalars(LoaderOptions limits) {
      super(limits);
    }

    @Nullable Object value(ScalarNode scalar) {
      return constructObject(scalar);
    }
  }
}
