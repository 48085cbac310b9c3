package dev.kvant.torch.pickle;

import java.util.Arrays;
import java.util.List;

/**
 * A tuple.
 *
 * @since 0.1.0
 */
public final class PickleTuple implements PickleValue {

  private final List<PickleValue> items;

  /** A tuple of those items. */
  public PickleTuple(List<? extends PickleValue> items) {
    this.items = List.copyOf(items);
  }

  /** A tuple of those items. */
  public static PickleTuple of(PickleValue... items) {
    return new PickleTuple(Arrays.asList(items));
  }

  /** A tuple of numbers, as PyTorch writes shapes and strides. */
  public static PickleTuple ofInts(List<Long> numbers) {
    return new PickleTuple(numbers.stream().map(PickleInt::of).toList());
  }

  /** The items. */
  public List<PickleValue> items() {
    return items;
  }

  /** The item at that index. */
  public PickleValue get(int index) {
    return items.get(index);
  }

  /** How many items there are. */
  public int size() {
    return items.size();
  }
}
