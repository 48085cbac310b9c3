package dev.kvant.kit;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelTensor;
import dev.kvant.numerics.FloatType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Models and tensors without a file. */
final class InMemory {

  private InMemory() {}

  /** A tensor of those values, rounded to its type. */
  static ModelTensor tensor(String name, ElementType type, List<Long> shape, float... values) {
    FloatType floats = FloatType.find(type.label()).orElseThrow();
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * floats.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    floats.store(values, values.length, bytes, 0);
    return ContiguousTensor.of(name, type, shape, bytes);
  }

  static NamedTensorsModel model(Map<String, ModelTensor> tensors) {
    return new NamedTensorsModel(Path.of("model.test"), "test", tensors, () -> {});
  }
}
