package dev.kvant.torch.pickle;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A list.
 *
 * @since 0.1.0
 */
public final class PickleList implements PickleValue {

  private final List<PickleValue> items = new ArrayList<>();

  /** An empty list. */
  public PickleList() {}

  /** A list of those items. */
  public static PickleList of(PickleValue... items) {
    var list = new PickleList();
    list.items.addAll(Arrays.asList(items));
    return list;
  }

  /** The items, which may be changed. */
  public List<PickleValue> items() {
    return items;
  }
}
