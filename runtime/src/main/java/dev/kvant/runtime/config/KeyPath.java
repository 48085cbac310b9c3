package dev.kvant.runtime.config;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The way from a document's root to a node: mapping keys and list indexes, as text.
 *
 * @param keys the keys and indexes, outermost first
 * @param indexes for each of them whether it is an index, which only matters to how it is written
 */
record KeyPath(List<String> keys, List<Boolean> indexes) {

  /** Documents are nested no deeper. */
  private static final int MOST_PARTS = 50;

  static final KeyPath ROOT = new KeyPath(List.of(), List.of());

  KeyPath {
    keys = List.copyOf(keys);
    indexes = List.copyOf(indexes);
  }

  /**
   * Reads {@code a.b[0].c}; {@code a.b.0.c} is the same way.
   *
   * @throws IllegalArgumentException if a part is empty, a bracket stands alone, or it has too many
   *     parts
   */
  static KeyPath parse(String written) {
    KeyPath path = ROOT;
    int position = 0;
    while (position < written.length()) {
      if (path.keys().size() == MOST_PARTS) {
        throw new IllegalArgumentException(
            "'%s' has more than %d parts".formatted(Shortened.of(written), MOST_PARTS));
      }
      if (written.charAt(position) == '[') {
        int close = written.indexOf(']', position);
        if (close < 0) {
          throw new IllegalArgumentException(
              "'%s' lacks a closing bracket".formatted(Shortened.of(written)));
        }
        path = path.child(part(written, position + 1, close), true);
        position = close + 1;
        if (position < written.length() && written.charAt(position) == '.') {
          position = afterDot(written, position);
        }
      } else {
        int end = position;
        while (end < written.length() && ".[".indexOf(written.charAt(end)) < 0) {
          end++;
        }
        path = path.child(part(written, position, end), false);
        position =
            end < written.length() && written.charAt(end) == '.' ? afterDot(written, end) : end;
      }
    }
    if (path.keys().isEmpty()) {
      throw new IllegalArgumentException("a key is empty");
    }
    return path;
  }

  private static int afterDot(String written, int dot) {
    if (dot + 1 == written.length()) {
      throw new IllegalArgumentException("'%s' ends in a dot".formatted(Shortened.of(written)));
    }
    return dot + 1;
  }

  private static String part(String written, int from, int to) {
    String part = written.substring(from, to).strip();
    if (part.isEmpty()) {
      throw new IllegalArgumentException("'%s' has an empty part".formatted(Shortened.of(written)));
    }
    return part;
  }

  /** The position that a key is in a list, -1 if it is none. */
  static int index(String key) {
    try {
      return Integer.parseInt(key);
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  KeyPath key(String key) {
    return child(key, false);
  }

  KeyPath index(int index) {
    return child(String.valueOf(index), true);
  }

  KeyPath resolve(KeyPath further) {
    KeyPath path = this;
    for (int i = 0; i < further.keys().size(); i++) {
      path = path.child(further.keys().get(i), further.indexes().get(i));
    }
    return path;
  }

  /** The path without its last parts. */
  KeyPath up(int parts) {
    int length = keys.size() - parts;
    return new KeyPath(keys.subList(0, length), indexes.subList(0, length));
  }

  private KeyPath child(String key, boolean index) {
    List<String> longer = new ArrayList<>(keys);
    longer.add(key);
    List<Boolean> longerIndexes = new ArrayList<>(indexes);
    longerIndexes.add(index);
    return new KeyPath(longer, longerIndexes);
  }

  /** As documents are spoken of: {@code a.b[0].c}. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < keys.size(); i++) {
      if (indexes.get(i)) {
        text.append('[').append(keys.get(i)).append(']');
      } else {
        text.append(i == 0 ? "" : ".").append(keys.get(i));
      }
    }
    return text.toString();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof KeyPath path && keys.equals(path.keys);
  }

  @Override
  public int hashCode() {
    return Collections.unmodifiableList(keys).hashCode();
  }
}
