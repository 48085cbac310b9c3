package dev.kvant.backend.onnx;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.onnx.OnnxFormat;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.tck.QuantizationBackendContract;
import dev.kvant.tck.SampleModel;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;

@DisplayName("The ONNX backend")
class OnnxBackendContractTest extends QuantizationBackendContract {

  @Override
  protected QuantizationBackend newBackend() {
    return new OnnxBackend();
  }

  @Override
  protected List<SampleModel> samples() {
    return List.of(sample("convolution"), sample("inner"));
  }

  @Override
  protected CalibrationDataset calibrationData(SampleModel sample) {
    // The sums of the rows have both signs, so that both branches of the condition run.
    return sample.name().equals("convolution")
        ? Graphs.data(Graphs.batch(1, 2, 3, 6, 6), Graphs.batch(2, 3, 3, 6, 6))
        : Graphs.data(Graphs.shifted(0.5f), Graphs.shifted(-0.5f));
  }

  /** Batch norms stay, so that modules can be compared one by one. */
  @Override
  protected void configure(ModelQuantizationConfig.Builder config) {
    config.backendKwarg("preprocess", false);
  }

  @Override
  protected Optional<SampleModel> sampleWithNonFiniteWeight() {
    return Optional.of(sample("not_finite"));
  }

  private static SampleModel sample(String name) {
    return new SampleModel(name, Graphs.model(name), new OnnxFormat());
  }
}
