package dev.kvant.runtime.data;

import dev.kvant.api.Internal;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * The positions of sequences that hold no token: those where the input {@code attention_mask}, of
 * shape [samples, positions], is 0. What an encoder returns for them means nothing.
 *
 * @since 0.1.0
 */
@Internal
public final class PaddedPositions {

  private static final String MASK = "attention_mask";

  private final List<Long> shape;
  private final boolean[] padded;

  private PaddedPositions(List<Long> shape, boolean[] padded) {
    this.shape = shape;
    this.padded = padded;
  }

  /** Those of a batch; none where it has no such input. */
  public static PaddedPositions of(TensorBatch batch) {
    Tensor mask = batch.inputs().get(MASK);
    if (mask == null || mask.shape().size() != 2) {
      return new PaddedPositions(List.of(), new boolean[0]);
    }
    boolean[] padded = new boolean[Math.toIntExact(mask.elements())];
    if (mask.elementType().isFloatingPoint()) {
      float[] values = mask.toFloats();
      for (int i = 0; i < padded.length; i++) {
        padded[i] = values[i] == 0;
      }
    } else {
      long[] values = mask.toLongs();
      for (int i = 0; i < padded.length; i++) {
        padded[i] = values[i] == 0;
      }
    }
    return new PaddedPositions(mask.shape(), padded);
  }

  /**
   * Whether an element of an output counts, by its index: all do but those at padded positions of
   * an output of three or more dimensions that begins with samples and positions.
   */
  public IntPredicate counted(Tensor output) {
    if (shape.isEmpty()
        || padded.length == 0
        || output.shape().size() < 3
        || !output.shape().subList(0, 2).equals(shape)) {
      return element -> true;
    }
    int elements = Math.toIntExact(output.elements() / padded.length);
    return element -> !padded[element / elements];
  }
}
