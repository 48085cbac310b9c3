package dev.kvant.backend.onnx.calibration;

import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.kit.Workers;
import dev.kvant.numerics.observer.Gram;
import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.FloatValues;
import dev.kvant.spi.Observation;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Sums up products of the inputs of products. Samples come one after the other, each is spread over
 * threads, so that the sums do not depend on the number of threads. Positions that {@code
 * attention_mask} hides are left out.
 */
final class InputSums implements AutoCloseable {

  private static final String MASK = "attention_mask";

  /** A share of the sums that one thread adds to. */
  private static final int ROWS = 32;

  private final Map<String, Gram> sums = new HashMap<>();
  private final Workers<Boolean> workers;

  InputSums(int parallelism) {
    this.workers = new Workers<>(parallelism, () -> true);
  }

  /**
   * Adds the rows of a tensor.
   *
   * @param name the name of its statistics
   * @param wanted {@link Observation#SQUARES} or {@link Observation#PRODUCTS}
   * @param type the type of the tensor, whose last axis has at least one element
   * @param sample the inputs of the run that it comes from
   */
  void add(String name, Observation wanted, Tensor tensor, DataType type, TensorBatch sample) {
    List<Long> shape = tensor.shape();
    int size = shape.isEmpty() ? 1 : Math.toIntExact(shape.get(shape.size() - 1));
    if (tensor.elements() == 0) {
      return;
    }
    Gram gram =
        sums.computeIfAbsent(
            name,
            each -> wanted == Observation.PRODUCTS ? Gram.ofProducts(size) : Gram.ofSquares(size));
    float[] rows = rows(FloatValues.of(type, tensor.data()), size, mask(sample, shape));
    gram.count(rows);
    for (int from = 0; from < size; from += ROWS) {
      int first = from;
      workers.submit(any -> gram.addRows(rows, first, Math.min(size, first + ROWS)));
    }
    workers.finish();
  }

  private static float[] rows(FloatBuffer values, int size, boolean @Nullable [] kept) {
    float[] rows = new float[values.remaining()];
    int end = 0;
    for (int row = 0; row < rows.length / size; row++) {
      if (kept == null || kept[row]) {
        values.get(values.position() + row * size, rows, end, size);
        end += isFinite(rows, end, end + size) ? size : 0;
      }
    }
    return end == rows.length ? rows : Arrays.copyOf(rows, end);
  }

  /** Where data may hold values that are not finite, vectors with such values are left out. */
  private static boolean isFinite(float[] values, int from, int to) {
    for (int i = from; i < to; i++) {
      if (!Float.isFinite(values[i])) {
        return false;
      }
    }
    return true;
  }

  /** Which rows of a tensor a mask shows; null if it does not have one for each row. */
  private static boolean @Nullable [] mask(TensorBatch sample, List<Long> shape) {
    Tensor mask = sample.inputs().get(MASK);
    if (mask == null || shape.size() < 2) {
      return null;
    }
    List<Long> positions = shape.subList(0, shape.size() - 1);
    boolean isFlat =
        positions.size() == 1 && mask.shape().size() == 2 && positions.get(0) == mask.elements();
    if (!isFlat && !positions.equals(mask.shape())) {
      return null;
    }
    float[] values = mask.toFloats();
    boolean[] kept = new boolean[values.length];
    for (int i = 0; i < kept.length; i++) {
      kept[i] = values[i] != 0;
    }
    return kept;
  }

  /** The sums of a tensor; empty if none were asked for or no row came. */
  Optional<Gram> of(String name) {
    return Optional.ofNullable(sums.get(name)).filter(gram -> gram.count() > 0);
  }

  @Override
  public void close() {
    workers.close();
  }
}
