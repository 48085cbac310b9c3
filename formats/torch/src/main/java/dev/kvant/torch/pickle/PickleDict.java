package dev.kvant.torch.pickle;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A dict: entries in the order of the first occurrence of their keys. As in Python, a repeated key
 * replaces the value and keeps its place.
 *
 * @since 0.1.0
 */
public final class PickleDict implements PickleValue {

  private final Map<PickleValue, PickleValue> entries = new LinkedHashMap<>();

  /** An empty dict. */
  public PickleDict() {}

  /** The entries, which may be changed. Keys other than atoms are found by identity. */
  public Map<PickleValue, PickleValue> entries() {
    return entries;
  }

  /** The value of that text key. */
  public Optional<PickleValue> get(String key) {
    return Optional.ofNullable(entries.get(new PickleText(key)));
  }

  /** Sets the value of a text key; returns the dict. */
  public PickleDict put(String key, PickleValue value) {
    entries.put(new PickleText(key), value);
    return this;
  }
}
