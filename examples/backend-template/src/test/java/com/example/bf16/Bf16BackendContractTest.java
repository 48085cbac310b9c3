package com.example.bf16;

import dev.kvant.spi.QuantizationBackend;
import dev.kvant.tck.QuantizationBackendContract;
import dev.kvant.tck.SampleModel;
import dev.kvant.torch.TorchFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** All that Kvant asks of a backend. */
class Bf16BackendContractTest extends QuantizationBackendContract {

  @Override
  protected QuantizationBackend newBackend() {
    return new Bf16Backend();
  }

  @Override
  protected List<SampleModel> samples() {
    return List.of(model("two modules", 1.01f, -3.3f, 0.007f, 4, 5, 6, 7, 8));
  }

  @Override
  protected Optional<SampleModel> sampleWithNonFiniteWeight() {
    return Optional.of(model("two modules with NaN", 1, 2, Float.NaN, 4, 5, 6, 7, 8));
  }

  /** Safetensors do not tell the plan: their format has no place for it that is read back. */
  @Override
  protected boolean artifactsCarryTheirRecord() {
    return false;
  }

  /** A file of safetensors with eight values in two modules. */
  private static SampleModel model(String name, float... values) {
    byte[] header =
        ("{\"fc1.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
                + "\"fc2.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[16,32]}}")
            .getBytes(StandardCharsets.UTF_8);
    ByteBuffer content =
        ByteBuffer.allocate(Long.BYTES + header.length + 32).order(ByteOrder.LITTLE_ENDIAN);
    content.putLong(header.length).put(header);
    for (float value : values) {
      content.putFloat(value);
    }
    try {
      Path file = Files.write(Path.of("target", name + ".safetensors"), content.array());
      return new SampleModel(name, file, new TorchFormat());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
