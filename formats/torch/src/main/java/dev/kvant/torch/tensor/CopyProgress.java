package dev.kvant.torch.tensor;

/**
 * Receives the progress of writing tensors.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface CopyProgress {

  /**
   * More bytes of a tensor are written. An exception of this method ends the writing, so it is the
   * place to check for an interrupt.
   */
  void advance(long bytes, String tensor);
}
