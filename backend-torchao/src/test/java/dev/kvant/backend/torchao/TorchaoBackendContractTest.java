package dev.kvant.backend.torchao;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import dev.kvant.api.ModelTensor;
import dev.kvant.api.QuantizableModel;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.tck.QuantizationBackendContract;
import dev.kvant.tck.SampleModel;
import dev.kvant.tck.StoredValues;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.TorchFormat;
import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleValue;
import dev.kvant.torch.tensor.ArchiveTensors;
import dev.kvant.torch.tensor.QuantizedTensor;
import dev.kvant.torch.tensor.StoredTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;

@DisplayName("The torchao backend")
class TorchaoBackendContractTest extends QuantizationBackendContract {

  @Override
  protected QuantizationBackend newBackend() {
    return new TorchaoBackend();
  }

  @Override
  protected List<SampleModel> samples() {
    return List.of(
        sample("TorchScript", TestModels.model("mixed_traced.pt")),
        sample("a torch.export program", TestModels.model("mixed.pt2")),
        sample("a checkpoint", TestModels.model("mixed.pth")),
        sample("safetensors", TestModels.model("mixed.safetensors")));
  }

  /** Codes by scales, which the checkpoint holds as one tensor and the archive as two. */
  @Override
  protected Optional<float[]> restoredWeight(QuantizableModel artifact, String module) {
    if (artifact instanceof ScriptModel script) {
      Optional<PackedWeights> packed = PackedWeights.find(script, module);
      if (packed.isPresent()) {
        // Its codes are its own, and its record tells of them; the report is about the checkpoint.
        return Optional.empty();
      }
      PickleDict attributes = script.readTree().module(module).orElseThrow().attributes();
      var tensors = new ArchiveTensors(script.archive());
      StoredTensor codes = tensors.find("codes", value(attributes, "weight")).orElseThrow();
      StoredTensor scales = tensors.find("scales", value(attributes, "weight_scale")).orElseThrow();
      int axis = scales.shape().indexOf(scales.elements());
      return Optional.of(restored(codes, scales, axis));
    }
    var tensor = (QuantizedTensor) requireNonNull(artifact.tensors().get(module + ".weight"));
    return Optional.of(restored(tensor.codes(), tensor.scales(), 0));
  }

  private static PickleValue value(PickleDict attributes, String name) {
    return attributes.get(name).orElseThrow();
  }

  private static float[] restored(ModelTensor codes, ModelTensor scales, int axis) {
    return StoredValues.dequantized(
        StoredValues.floats(codes), 0, StoredValues.floats(scales), codes.shape(), axis);
  }

  private static SampleModel sample(String name, Path file) {
    return new SampleModel(name, file, new TorchFormat());
  }

  @Override
  protected Optional<SampleModel> sampleWithNonFiniteWeight() {
    byte[] header =
        "{\"fc.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}"
            .getBytes(UTF_8);
    ByteBuffer content =
        ByteBuffer.allocate(Long.BYTES + header.length + 16).order(ByteOrder.LITTLE_ENDIAN);
    content.putLong(header.length).put(header);
    content.putFloat(1).putFloat(2).putFloat(Float.NaN).putFloat(4);
    try {
      Path file = Files.write(Path.of("target", "nan.safetensors"), content.array());
      return Optional.of(sample("safetensors with NaN", file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
