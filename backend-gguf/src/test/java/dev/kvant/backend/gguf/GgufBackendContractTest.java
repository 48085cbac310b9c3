package dev.kvant.backend.gguf;

import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.QuantizableModel;
import dev.kvant.backend.gguf.blocks.BlockType;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.tck.QuantizationBackendContract;
import dev.kvant.tck.SampleModel;
import dev.kvant.tck.StoredValues;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;

@DisplayName("The GGUF backend")
class GgufBackendContractTest extends QuantizationBackendContract {

  @Override
  protected QuantizationBackend newBackend() {
    return new GgufBackend();
  }

  @Override
  protected List<SampleModel> samples() {
    return List.of(
        Samples.decoder("a decoder in float32", ElementType.FLOAT32).opened(),
        Samples.decoder("a decoder in float16", ElementType.FLOAT16).opened(),
        Samples.decoder("a decoder in bfloat16", ElementType.BFLOAT16).opened());
  }

  @Override
  protected Optional<SampleModel> sampleWithNonFiniteWeight() {
    var values = new float[2 * 256];
    values[300] = Float.NaN;
    return Optional.of(
        Samples.named("a decoder with NaN")
            .tensor("blk.0.attn_k.weight", ElementType.FLOAT32, 4, 256)
            .tensor("blk.0.attn_q.weight", ElementType.FLOAT32, new long[] {2, 256}, values)
            .opened());
  }

  /** The metadata precedes the tensors, and the record tells what they have become. */
  @Override
  protected boolean artifactsCarryTheirRecord() {
    return false;
  }

  @Override
  protected Optional<float[]> restoredWeight(QuantizableModel artifact, String module) {
    ModelTensor weight = artifact.tensors().get(module + ".weight");
    return weight == null
        ? Optional.empty()
        : BlockType.of(Dtype.of(weight.elementType().label()))
            .map(type -> StoredValues.decoded(weight, type.codec()));
  }
}
