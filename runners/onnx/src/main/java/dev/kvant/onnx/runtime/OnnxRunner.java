package dev.kvant.onnx.runtime;

import dev.kvant.api.Device;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.spi.ModelRunner;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One model in ONNX Runtime. */
final class OnnxRunner implements ModelRunner {

  private final RuntimeSession session;

  private OnnxRunner(RuntimeSession session) {
    this.session = session;
  }

  static OnnxRunner open(Path model, Device device) {
    return new OnnxRunner(RuntimeSessions.open(model, device));
  }

  static OnnxRunner openUnoptimized(Path model, Device device) {
    return new OnnxRunner(RuntimeSessions.openUnoptimized(model, device));
  }

  @Override
  public List<InputDescription> inputs() {
    return session.inputs();
  }

  @Override
  public Map<String, Tensor> run(TensorBatch batch) {
    Map<String, Tensor> outputs = new LinkedHashMap<>();
    session.run(batch, session.outputs(), outputs::put);
    return outputs;
  }

  @Override
  public void close() {
    session.close();
  }
}
