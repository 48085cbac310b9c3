package dev.kvant.runtime.data;

import dev.kvant.api.Tensor;
import java.io.IOException;
import java.util.Map;

/** Gives samples one after the other, a few at a time. */
interface SampleReader extends AutoCloseable {

  /**
   * The next samples: tensors by name, all with as many rows, at least one; empty at the end.
   *
   * @param most how many at most, at least one
   */
  Map<String, Tensor> next(int most) throws IOException;

  @Override
  void close() throws IOException;
}
