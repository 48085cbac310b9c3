package dev.kvant.runtime.verification;

import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The first samples of a batch. */
final class FirstSamples {

  private FirstSamples() {}

  /** How many samples a batch holds: the rows that all of its tensors have; else 1. */
  static int count(TensorBatch batch) {
    List<Long> rows =
        batch.inputs().values().stream()
            .map(tensor -> tensor.shape().isEmpty() ? 1L : tensor.shape().get(0))
            .distinct()
            .collect(Collectors.toList());
    return rows.size() == 1 ? Math.toIntExact(rows.get(0)) : 1;
  }

  /** A batch of that many samples at most; the batch itself where rows cannot be told apart. */
  static TensorBatch of(TensorBatch batch, int samples) {
    if (count(batch) <= samples
        || batch.inputs().values().stream().anyMatch(tensor -> tensor.shape().isEmpty())) {
      return batch;
    }
    Map<String, Tensor> first = new LinkedHashMap<>();
    batch.inputs().forEach((name, tensor) -> first.put(name, rows(tensor, samples)));
    return new TensorBatch(first);
  }

  private static Tensor rows(Tensor tensor, int samples) {
    List<Long> shape = new ArrayList<>(tensor.shape());
    long elements = tensor.elements() / shape.get(0) * samples;
    shape.set(0, (long) samples);
    ByteBuffer data = tensor.data();
    data.limit(data.position() + Math.toIntExact(tensor.elementType().bytes(elements)));
    return Tensor.of(tensor.elementType(), shape, data);
  }
}
