package dev.kvant.runtime.config;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Device;
import dev.kvant.api.Dtype;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.QuantizationMode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Goes from plain Java values to trees and back. */
final class JavaValues {

  private static final int DEEPEST = 50;

  /** Far more than any options need; sections that refer to each other would grow for ever. */
  private static final int MOST_NODES = 10_000;

  private JavaValues() {}

  /**
   * The tree of a map of maps, lists and single values.
   *
   * @throws InvalidConfigurationException if something else is in it
   */
  static Node toTree(Map<?, ?> values) {
    return toTree(values, KeyPath.ROOT);
  }

  private static Node toTree(@Nullable Object value, KeyPath path) {
    if (path.keys().size() > DEEPEST) {
      throw new InvalidConfigurationException(
          path.up(DEEPEST).toString(), "is nested too deeply; does a map contain itself?");
    }
    if (value instanceof Map<?, ?> map) {
      Map<String, Node> entries = new LinkedHashMap<>();
      map.forEach(
          (key, entry) -> {
            String name = String.valueOf(key);
            entries.put(name, toTree(entry, path.key(name)));
          });
      return new Node.Mapping(entries, 0);
    }
    if (value instanceof Path) {
      // Before Iterable, which a path is too.
      return Node.Scalar.of(value.toString());
    }
    if (value instanceof Iterable<?> list) {
      List<Node> items = new ArrayList<>();
      for (Object item : list) {
        items.add(toTree(item, path.index(items.size())));
      }
      return new Node.Sequence(items, 0);
    }
    if (value == null || value instanceof Boolean || value instanceof Number) {
      return new Node.Scalar(value, String.valueOf(value), 0);
    }
    if (value instanceof CharSequence
        || value instanceof Enum<?>
        || value instanceof Dtype
        || value instanceof QuantizationMode
        || value instanceof CalibrationAlgorithm
        || value instanceof Device) {
      return Node.Scalar.of(value.toString());
    }
    throw new InvalidConfigurationException(
        path.toString(),
        "a %s cannot stand in a configuration; use maps, lists and single values"
            .formatted(value.getClass().getName()));
  }

  /**
   * The Java value of a node with all its interpolations resolved; nulls in mappings are left out.
   */
  static @Nullable Object of(Located located, Interpolator interpolator) throws Unresolvable {
    return new Conversion(interpolator).of(located, 0);
  }

  private static final class Conversion {

    private final Interpolator interpolator;
    private int nodes;

    Conversion(Interpolator interpolator) {
      this.interpolator = interpolator;
    }

    @Nullable Object of(Located unresolved, int depth) throws Unresolvable {
      if (depth > DEEPEST || ++nodes > MOST_NODES) {
        throw new Unresolvable(
            "becomes too large; does a section refer to a section that it is part of?");
      }
      Located located = interpolator.resolve(unresolved);
      if (located.node() instanceof Node.Mapping mapping) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (Map.Entry<String, Node> entry : mapping.entries().entrySet()) {
          Object value =
              of(new Located(located.path().key(entry.getKey()), entry.getValue()), depth + 1);
          if (value != null) {
            map.put(entry.getKey(), value);
          }
        }
        return map;
      }
      if (located.node() instanceof Node.Sequence sequence) {
        List<@Nullable Object> list = new ArrayList<>();
        for (Node item : sequence.items()) {
          list.add(of(new Located(located.path().index(list.size()), item), depth + 1));
        }
        return list;
      }
      Node.Scalar scalar = (Node.Scalar) located.node();
      if (scalar.isMissing()) {
        throw new Unresolvable(
            "'%s' must be given: it is '%s' in the document"
                .formatted(located.path(), Node.MISSING));
      }
      return scalar.value();
    }
  }
}
