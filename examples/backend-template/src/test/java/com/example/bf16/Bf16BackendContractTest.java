package com.example.bf16;

import dev.kvant.api.ElementType;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.tck.QuantizationBackendContract;
import dev.kvant.tck.SampleFile;
import dev.kvant.tck.SampleModel;
import dev.kvant.torch.TorchFormat;
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
    return List.of(
        SampleFile.named("two layers")
            .tensor("fc1.weight", ElementType.FLOAT32, 16, 64)
            .tensor("fc1.bias", ElementType.FLOAT32, 16)
            .tensor("fc2.weight", ElementType.FLOAT32, 8, 16)
            .tensor("norm.weight", ElementType.FLOAT16, 8)
            .openedBy(new TorchFormat()));
  }

  @Override
  protected Optional<SampleModel> sampleWithNonFiniteWeight() {
    return Optional.of(
        SampleFile.named("two layers with NaN")
            .tensor("fc1.weight", ElementType.FLOAT32, 16, 64)
            .tensorWithNan("fc2.weight", ElementType.FLOAT32, 8, 16)
            .openedBy(new TorchFormat()));
  }

  /** A safetensors file has no place for a record that is read back. */
  @Override
  protected boolean artifactsCarryTheirRecord() {
    return false;
  }
}
