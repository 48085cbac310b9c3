package dev.kvant.backend.modelopt;

import dev.kvant.backend.modelopt.ModelOptOptions.Version;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.torch.pickle.PickleBool;
import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleInt;
import dev.kvant.torch.pickle.PickleList;
import dev.kvant.torch.pickle.PickleNone;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleText;
import dev.kvant.torch.pickle.PickleTuple;
import dev.kvant.torch.pickle.PickleValue;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The {@code modelopt_state} of a checkpoint: that a model was quantized, and what each quantizer
 * does. As little as ModelOpt restores; all else gets ModelOpt's own defaults.
 */
final class ModelOptState {

  private static final PickleGlobal SIZE = new PickleGlobal("torch", "Size");
  private static final int BITS = 8;

  private final PickleDict quantizers = new PickleDict();

  /**
   * Adds a quantizer; nothing to quantize switches it off.
   *
   * @param outputAxis the dimension that counts the outputs of its module's weight
   */
  void add(String name, Optional<OperandQuantization> quantization, int outputAxis) {
    var buffers = new PickleDict();
    quantization.ifPresent(
        present ->
            buffers.put(
                "_amax",
                new PickleDict()
                    .put("shape", PickleObject.call(SIZE, PickleTuple.ofInts(present.shape())))));
    quantizers.put(
        name,
        new PickleDict()
            .put("_num_bits", quantization.map(ModelOptState::bits).orElse(PickleInt.of(BITS)))
            .put(
                "_axis",
                quantization.map(present -> axis(present, outputAxis)).orElse(PickleNone.NONE))
            .put("_disabled", new PickleBool(quantization.isEmpty()))
            .put(
                "_pytorch_state_metadata",
                new PickleDict().put("buffers", buffers).put("params", new PickleDict())));
  }

  /** The state, with all that was added. */
  PickleDict pickle(Version version) {
    var algorithm = new PickleDict().put("method", new PickleText("max"));
    var all = new PickleDict().put("*", new PickleDict().put("enable", new PickleBool(false)));
    PickleDict mode =
        new PickleDict()
            .put("config", new PickleDict().put("algorithm", algorithm).put("quant_cfg", all))
            .put("metadata", new PickleDict().put("quantizer_state", quantizers));
    return new PickleDict()
        .put("modelopt_state_dict", PickleList.of(PickleTuple.of(new PickleText("quantize"), mode)))
        .put("modelopt_version", new PickleText(version.release()));
  }

  /** Integers have a number of bits, floats one for the exponent and one for the mantissa. */
  private static PickleValue bits(OperandQuantization quantization) {
    return quantization.grid() == Grid.FLOAT8_E4M3FN
        ? PickleTuple.ofInts(List.of(4L, 3L))
        : PickleInt.of(BITS);
  }

  /** The one dimension along which ranges differ, if there is any. */
  private static PickleValue axis(OperandQuantization quantization, int outputAxis) {
    if (quantization.isPerTensor()) {
      return PickleNone.NONE;
    }
    List<Long> shape = quantization.shape();
    // Where there is but one channel, the shape does not tell.
    return PickleInt.of(
        IntStream.range(0, shape.size())
            .filter(i -> shape.get(i) > 1)
            .findFirst()
            .orElse(outputAxis));
  }
}
