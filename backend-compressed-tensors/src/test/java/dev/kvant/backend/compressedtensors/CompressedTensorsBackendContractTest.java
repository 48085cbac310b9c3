package dev.kvant.backend.compressedtensors;

import dev.kvant.api.ElementType;
import dev.kvant.api.QuantizableModel;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.tck.QuantizationBackendContract;
import dev.kvant.tck.SampleFile;
import dev.kvant.tck.SampleModel;
import dev.kvant.torch.TorchFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;

@DisplayName("The compressed-tensors backend")
class CompressedTensorsBackendContractTest extends QuantizationBackendContract {

  @Override
  protected QuantizationBackend newBackend() {
    return new CompressedTensorsBackend();
  }

  @Override
  protected List<SampleModel> samples() {
    return List.of(
        sample("two layers in float32", ElementType.FLOAT32),
        sample("two layers in float16", ElementType.FLOAT16),
        sample("two layers in bfloat16", ElementType.BFLOAT16));
  }

  private static SampleModel sample(String name, ElementType type) {
    return SampleFile.named("compressed " + name)
        .tensor("embed_tokens.weight", type, 10, 256)
        .tensor("fc1.weight", type, 40, 256)
        .tensor("fc1.bias", type, 40)
        .tensor("fc2.weight", type, 130, 128)
        .tensor("norm.weight", type, 130)
        .tensor("lm_head.weight", type, 10, 130)
        .openedBy(new TorchFormat());
  }

  @Override
  protected Optional<SampleModel> sampleWithNonFiniteWeight() {
    return Optional.of(
        SampleFile.named("compressed with NaN")
            .tensor("fc1.weight", ElementType.FLOAT32, 16, 128)
            .tensorWithNan("fc2.weight", ElementType.FLOAT32, 8, 128)
            .openedBy(new TorchFormat()));
  }

  /** A safetensors file has no place for a record that is read back. */
  @Override
  protected boolean artifactsCarryTheirRecord() {
    return false;
  }

  @Override
  protected Optional<float[]> restoredWeight(QuantizableModel artifact, String module) {
    return Optional.of(new Stored(artifact, module).restored());
  }
}
