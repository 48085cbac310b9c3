package dev.kvant.runtime.config;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A node of a document's tree. Immutable, so that a node may stand in several places. */
sealed interface Node {

  /** What OmegaConf writes for a value that must be given elsewhere. */
  String MISSING = "???";

  /** The line that it begins in, counted from 1; 0 when it comes from no file. */
  int line();

  /** What it is, for a person. */
  String kind();

  /**
   * A single value.
   *
   * @param value a {@code String}, {@code Boolean}, {@code Number} or null
   * @param text the value as written
   */
  record Scalar(@Nullable Object value, String text, int line) implements Node {

    static Scalar of(String text) {
      return new Scalar(text, text, 0);
    }

    boolean isMissing() {
      return MISSING.equals(value);
    }

    @Override
    public String kind() {
      return value == null ? "null" : "'" + Shortened.of(text) + "'";
    }
  }

  /** Values by key, in the document's order. */
  record Mapping(Map<String, Node> entries, int line) implements Node {

    public Mapping {
      entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
    }

    Mapping with(String key, Node value) {
      Map<String, Node> changed = new LinkedHashMap<>(entries);
      changed.put(key, value);
      return new Mapping(changed, line);
    }

    @Override
    public String kind() {
      return "a mapping";
    }
  }

  /** Values in order. */
  record Sequence(List<Node> items, int line) implements Node {

    public Sequence {
      items = List.copyOf(items);
    }

    Sequence with(int index, Node value) {
      List<Node> changed = new ArrayList<>(items);
      changed.set(index, value);
      return new Sequence(changed, line);
    }

    @Override
    public String kind() {
      return "a list";
    }
  }
}
