package dev.kvant.torch.tensor;

/**
 * Hears how far the writing of tensors has come.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface CopyProgress {

  /**
   * So many more bytes of a tensor are written. What this throws ends the writing, so that it is
   * the place to notice an interrupt.
   */
  void advance(long bytes, String tensor);
}
