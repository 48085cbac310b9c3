package dev.kvant.report;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object that somebody else may have written: what is missing or of another type is absent.
 */
record Tree(Map<?, ?> fields) {

  private static final Tree EMPTY = new Tree(Map.of());

  /** The object, or an empty one for anything else. */
  static Tree of(@Nullable Object value) {
    return value instanceof Map<?, ?> map ? new Tree(map) : EMPTY;
  }

  boolean isEmpty() {
    return fields.isEmpty();
  }

  /** The object at a key; empty if there is none. */
  Tree tree(String key) {
    return of(fields.get(key));
  }

  /** The objects of the list at a key; empty if there is none. */
  List<Tree> trees(String key) {
    return fields.get(key) instanceof List<?> list
        ? list.stream().filter(Map.class::isInstance).map(Tree::of).toList()
        : List.of();
  }

  /** The text at a key. */
  Optional<String> text(String key) {
    return fields.get(key) instanceof String text ? Optional.of(text) : Optional.empty();
  }

  /** The text at a key, or an empty one. */
  String textOrEmpty(String key) {
    return text(key).orElse("");
  }

  /** The finite number at a key. */
  Optional<Double> number(String key) {
    return fields.get(key) instanceof Number number && Double.isFinite(number.doubleValue())
        ? Optional.of(number.doubleValue())
        : Optional.empty();
  }

  /** The whole number at a key. */
  Optional<Long> whole(String key) {
    return number(key).map(Double::longValue);
  }

  /** The finite numbers of the list at a key. */
  List<Double> numbers(String key) {
    return fields.get(key) instanceof List<?> list
        ? list.stream()
            .filter(Number.class::isInstance)
            .map(each -> ((Number) each).doubleValue())
            .filter(Double::isFinite)
            .toList()
        : List.of();
  }

  /** The texts of the list at a key. */
  List<String> texts(String key) {
    return fields.get(key) instanceof List<?> list
        ? list.stream().filter(String.class::isInstance).map(String.class::cast).toList()
        : List.of();
  }

  /** The length of the list at a key; 0 if there is none. */
  int size(String key) {
    return fields.get(key) instanceof List<?> list ? list.size() : 0;
  }

  /** Whether the value at a key is true. */
  boolean isTrue(String key) {
    return Boolean.TRUE.equals(fields.get(key));
  }
}
