package dev.kvant.numerics;

/**
 * A value is NaN or infinite, so no range contains it.
 *
 * <p>Contains the first such element in row-major order, for a caller that knows the tensor's name.
 *
 * @since 0.1.0
 */
public final class NonFiniteValueException extends IllegalArgumentException {

  private static final long serialVersionUID = 1L;

  private final long index;
  private final float value;

  /**
   * Creates the exception.
   *
   * @param index the element, counted from the first
   * @param value its value
   */
  public NonFiniteValueException(long index, float value) {
    super("Element " + index + " is " + value + ", not finite");
    this.index = index;
    this.value = value;
  }

  /**
   * Returns the element's index.
   *
   * @return at least 0, counted in row-major order: from the first element of the tensor if the
   *     index of a block's first element was given, otherwise from the first element of the block
   */
  public long index() {
    return index;
  }

  /**
   * Returns the offending value.
   *
   * @return NaN or an infinity
   */
  public float value() {
    return value;
  }
}
