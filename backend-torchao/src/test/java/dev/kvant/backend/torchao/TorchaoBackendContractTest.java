package dev.kvant.backend.torchao;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.kvant.spi.QuantizationBackend;
import dev.kvant.tck.QuantizationBackendContract;
import dev.kvant.tck.SampleModel;
import dev.kvant.torch.TorchFormat;
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
        sample("a checkpoint", TestModels.model("mixed.pth")),
        sample("safetensors", TestModels.model("mixed.safetensors")));
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
