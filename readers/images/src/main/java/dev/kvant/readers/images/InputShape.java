package dev.kvant.readers.images;

import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a model's input declares of images.
 *
 * @param input the input, or null if it is not known
 * @param channelsFirst whether channels come before height and width
 */
record InputShape(@Nullable InputDescription input, boolean channelsFirst) {

  private static final int DIMENSIONS = 4;

  private static final Set<Long> CHANNELS = Set.of(1L, 3L);

  /**
   * The only input, or the only one that must be given.
   *
   * @param layout the layout that is set; empty to tell it by the sizes
   */
  static InputShape of(List<InputDescription> inputs, String layout) {
    List<InputDescription> required = inputs.stream().filter(each -> !each.optional()).toList();
    List<InputDescription> candidates = required.isEmpty() ? inputs : required;
    InputDescription input = candidates.size() == 1 ? candidates.get(0) : null;
    return new InputShape(
        input, layout.isEmpty() ? !hasChannelsLast(input) : layout.equals("NCHW"));
  }

  private static boolean hasChannelsLast(@Nullable InputDescription input) {
    return input != null
        && isForImages(input)
        && CHANNELS.contains(input.fixedSize(3).orElse(0))
        && !CHANNELS.contains(input.fixedSize(1).orElse(0));
  }

  private static boolean isForImages(InputDescription input) {
    List<Long> shape = input.shape();
    return shape != null && shape.size() == DIMENSIONS;
  }

  /** Height and width; null if they are not both fixed. */
  @Nullable List<Integer> size() {
    InputDescription declared = input;
    int first = channelsFirst ? 2 : 1;
    if (declared == null
        || !isForImages(declared)
        || declared.fixedSize(first).isEmpty()
        || declared.fixedSize(first + 1).isEmpty()) {
      return null;
    }
    return List.of(
        (int) declared.fixedSize(first).getAsLong(),
        (int) declared.fixedSize(first + 1).getAsLong());
  }

  /** The number of channels; 0 if it is not declared. */
  long channels() {
    InputDescription declared = input;
    return declared == null ? 0 : declared.fixedSize(channelsFirst ? 1 : 3).orElse(0);
  }

  /** The type that pixels are given in: that of the input if pixels can have it, else float32. */
  ElementType elementType() {
    ElementType type = input == null ? null : input.elementType();
    return type != null && (type.equals(ElementType.UINT8) || type.equals(ElementType.FLOAT16))
        ? type
        : ElementType.FLOAT32;
  }

  /** The input for a sentence, with a space behind it; empty if it is not known. */
  String printed() {
    return input == null ? "" : "'%s' %s ".formatted(input.name(), input.printed());
  }
}
