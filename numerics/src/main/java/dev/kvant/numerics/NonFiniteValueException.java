package dev.kvant.numerics;

/**
 * A value is NaN or infinite, so that no range holds it.
 *
 * <p>Carries the first such element in row-major order, for a caller that can name the tensor.
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
   * @param value what it is
   */
  public NonFiniteValueException(long index, float value) {
    super("Element " + index + " is " + value + ", not finite");
    this.index = index;
    this.value = value;
  }

  /**
   * Returns the element's index.
   *
   * @return at least 0, counted in row-major order: from the first element of the tensor where the
   *     index of a block's first element was given, else from the first element of the block
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
