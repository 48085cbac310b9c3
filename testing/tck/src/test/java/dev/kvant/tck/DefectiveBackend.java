package dev.kvant.tck;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.QuantizableModel;
import dev.kvant.spi.QuantizationBackend;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.extension.ExtendWith;

/** The contract of a backend with a defect, for {@link BrokenProvidersTest} to run. */
@ExtendWith(DefectResolver.class)
class DefectiveBackend extends QuantizationBackendContract {

  private final Defect defect;

  DefectiveBackend(Defect defect) {
    this.defect = defect;
  }

  @Override
  protected QuantizationBackend newBackend() {
    return defect == Defect.NOT_REGISTERED ? new UnregisteredToyBackend() : new ToyBackend(defect);
  }

  @Override
  protected List<SampleModel> samples() {
    return ToyModels.samples();
  }

  @Override
  protected CalibrationDataset calibrationData(SampleModel sample) {
    return ToyBackendContractTest.DATA;
  }

  @Override
  protected Optional<float[]> restoredWeight(QuantizableModel artifact, String module) {
    return ToyModels.restored(artifact, module);
  }

  @Override
  protected Optional<SampleModel> sampleWithNonFiniteWeight() {
    return ToyModels.nonFiniteSample();
  }

  @Override
  protected boolean artifactsCanBeOpened() {
    return defect != Defect.OPENED_THOUGH_NOTHING_SHOULD;
  }
}
