package dev.kvant.backend.modelopt;

import static java.util.Objects.requireNonNull;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.QuantizableModel;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.tck.QuantizationBackendContract;
import dev.kvant.tck.SampleModel;
import dev.kvant.tck.StoredValues;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.TorchFormat;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleReference;
import dev.kvant.torch.pickle.PickleText;
import dev.kvant.torch.pickle.PickleTuple;
import dev.kvant.torch.tensor.ArchiveTensors;
import dev.kvant.torch.tensor.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
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

  /** The checkpoint holds ranges and the original weights; the archive holds what they become. */
  @Override
  protected Optional<float[]> restoredWeight(QuantizableModel artifact, String module) {
    if (!(artifact instanceof ScriptModel script)) {
      return Optional.empty();
    }
    return script
        .readTree()
        .module(module)
        .orElseThrow()
        .attributes()
        .get("packed_weight")
        .filter(PickleObject.class::isInstance)
        .map(packed -> unpacked(script, (PickleObject) packed))
        .or(() -> super.restoredWeight(artifact, module));
  }

  /** Codes by scales of {@code _rebuild_qtensor(storage, offset, shape, stride, quantizer, …)}. */
  private static float[] unpacked(ScriptModel script, PickleObject packed) {
    var codes = (PickleObject) ((PickleTuple) requireNonNull(packed.state())).get(0);
    var storage = (PickleTuple) ((PickleReference) codes.arguments().get(0)).id();
    var quantizer = (PickleTuple) codes.arguments().get(4);
    ByteBuffer bytes =
        ByteBuffer.wrap(
            script
                .archive()
                .record("data/" + ((PickleText) storage.get(2)).value())
                .readAll(1 << 20));
    StoredTensor scales =
        new ArchiveTensors(script.archive()).find("scales", quantizer.get(1)).orElseThrow();
    DoubleBuffer ofRows = StoredValues.bytes(scales).asDoubleBuffer();
    float[] values = new float[bytes.remaining()];
    int columns = values.length / ofRows.remaining();
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (bytes.get(i) * ofRows.get(i / columns));
    }
    return values;
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
