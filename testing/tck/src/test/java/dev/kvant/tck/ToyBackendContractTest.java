package dev.kvant.tck;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.spi.QuantizationBackend;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;

/** As an author would extend the contract. */
@DisplayName("A good toy backend")
class ToyBackendContractTest extends QuantizationBackendContract {

  static final CalibrationDataset DATA =
      CalibrationDataset.of(List.of(TensorBatch.of(Tensor.ofFloats(new float[] {1, 2}, 2))));

  @Override
  protected QuantizationBackend newBackend() {
    return new ToyBackend();
  }

  @Override
  protected List<SampleModel> samples() {
    return ToyModels.samples();
  }

  @Override
  protected CalibrationDataset calibrationData(SampleModel sample) {
    return DATA;
  }

  @Override
  protected Optional<float[]> restoredWeight(QuantizableModel artifact, String module) {
    return ToyModels.restored(artifact, module);
  }

  @Override
  protected Optional<SampleModel> sampleWithNonFiniteWeight() {
    return ToyModels.nonFiniteSample();
  }
}
