package dev.kvant.api;

import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * An input of a model, as far as the model's file declares it.
 *
 * @param name the name of the input
 * @param elementType the type of its elements, or null if the file does not declare one
 * @param shape its dimensions, outermost first, {@link #FREE} where any size fits; empty for a
 *     scalar, null if the file does not declare one
 * @param optional whether the model runs without it
 * @since 0.1.0
 */
public record InputDescription(
    String name, @Nullable ElementType elementType, @Nullable List<Long> shape, boolean optional) {

  /** A dimension of any size. */
  public static final long FREE = -1;

  /**
   * Checks the components; every negative dimension becomes {@link #FREE}.
   *
   * @throws NullPointerException if the name is null
   */
  public InputDescription {
    Objects.requireNonNull(name, "name");
    shape = shape == null ? null : shape.stream().map(size -> Math.max(FREE, size)).toList();
  }

  /** A required input of which the file declares the name alone. */
  public static InputDescription of(String name) {
    return new InputDescription(name, null, null, false);
  }

  /** A required input of known type and shape. */
  public static InputDescription of(String name, ElementType elementType, List<Long> shape) {
    return new InputDescription(name, elementType, shape, false);
  }

  /** Whether a tensor of that shape fits; any does where the file declares no shape. */
  public boolean fits(List<Long> tensorShape) {
    List<Long> declared = shape;
    if (declared == null) {
      return true;
    }
    if (declared.size() != tensorShape.size()) {
      return false;
    }
    for (int axis = 0; axis < declared.size(); axis++) {
      long size = declared.get(axis);
      if (size != FREE && size != tensorShape.get(axis)) {
        return false;
      }
    }
    return true;
  }

  /** The size of a dimension that has but one; empty where any fits or the axis is not declared. */
  public OptionalLong fixedSize(int axis) {
    List<Long> declared = shape;
    return declared == null || axis >= declared.size() || declared.get(axis) == FREE
        ? OptionalLong.empty()
        : OptionalLong.of(declared.get(axis));
  }

  /** Type and shape for a person, as in {@code float32[any, 3, 224, 224]}. */
  public String printed() {
    List<Long> declared = shape;
    return (elementType == null ? "" : elementType)
        + (declared == null
            ? ""
            : declared.stream()
                .map(size -> size == FREE ? "any" : size.toString())
                .collect(Collectors.joining(", ", "[", "]")));
  }
}
