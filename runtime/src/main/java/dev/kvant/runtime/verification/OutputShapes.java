package dev.kvant.runtime.verification;

import dev.kvant.api.ElementType;
import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.spi.ModelRunner;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds the outputs whose shapes depend on the values of the inputs, as the boxes of a detector do.
 * Quantization may change these shapes; all others it must keep.
 */
final class OutputShapes {

  private OutputShapes() {}

  /**
   * The outputs whose shapes depend on values: those that are empty, or change their shape when all
   * inputs are zero. All of them if the source does not run on zeros.
   *
   * @param batch inputs
   * @param outputs what the source returns for them
   */
  static Set<String> dependingOnValues(
      ModelRunner source, TensorBatch batch, Map<String, Tensor> outputs) {
    Map<String, Tensor> ofZeros;
    try {
      ofZeros = source.run(zeros(batch));
    } catch (QuantizationCancelledException e) {
      throw e;
    } catch (KvantException e) {
      return outputs.keySet();
    }
    Set<String> depending = new LinkedHashSet<>();
    outputs.forEach(
        (name, output) -> {
          Tensor other = ofZeros.get(name);
          if (output.elements() == 0 || other == null || !other.shape().equals(output.shape())) {
            depending.add(name);
          }
        });
    return depending;
  }

  private static TensorBatch zeros(TensorBatch batch) {
    Map<String, Tensor> zeros = new LinkedHashMap<>();
    batch.inputs().forEach((name, tensor) -> zeros.put(name, zeros(tensor)));
    return new TensorBatch(zeros);
  }

  private static Tensor zeros(Tensor tensor) {
    ElementType type = tensor.elementType();
    List<Long> shape = tensor.shape();
    return Tensor.of(type, shape, ByteBuffer.allocate(tensor.data().remaining()));
  }
}
