package dev.kvant.backend.modelopt;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.tck.QuantizationBackendContract;
import dev.kvant.tck.SampleModel;
import dev.kvant.torch.TorchFormat;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;

@DisplayName("The modelopt backend")
class ModelOptBackendContractTest extends QuantizationBackendContract {

  @Override
  protected QuantizationBackend newBackend() {
    return new ModelOptBackend();
  }

  @Override
  protected List<SampleModel> samples() {
    return List.of(
        sample("scripted", TestModels.model("mixed.pt")),
        sample("traced", TestModels.model("mixed_traced.pt")));
  }

  @Override
  protected CalibrationDataset calibrationData(SampleModel sample) {
    return Data.tokens();
  }

  @Override
  protected Optional<SampleModel> sampleWithNonFiniteWeight() {
    Path file =
        Archives.withWeight(
            TestModels.model("mixed.pt"), "conv", 5, Float.NaN, Path.of("target", "nan.pt"));
    return Optional.of(sample("TorchScript with NaN", file));
  }

  private static SampleModel sample(String name, Path file) {
    return new SampleModel(name, file, new TorchFormat());
  }
}
