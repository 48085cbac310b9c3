package dev.kvant.backend.modelopt;

import dev.kvant.numerics.FakeQuantizer;
import dev.kvant.torch.PackedLinear;
import dev.kvant.torch.pickle.PickleFloat;
import dev.kvant.torch.pickle.PickleNone;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleValue;
import dev.kvant.torch.script.AttributeRead;
import dev.kvant.torch.script.LinearProducts;
import dev.kvant.torch.script.ScriptModule;
import dev.kvant.torch.script.ScriptType;
import java.util.List;
import java.util.Set;

/**
 * Changes a class of an archive's code so that its instances multiply integers: they quantize their
 * input with a scale that is given, and hold an int8 weight in the order that the processor likes.
 *
 * <p>libtorch's operator takes unsigned inputs; with 128 for zero these are the signed ones.
 */
final class PackedLinearClass implements IntegerProducts {

  private static final String WEIGHT = "weight";
  private static final String BIAS = "bias";

  private final boolean addsBias;
  private final IntegerWeights weights;
  private final PickleObject nothing;
  private final String packed;
  private final String scale;

  private PackedLinearClass(
      ScriptType type, boolean addsBias, IntegerWeights weights, PickleObject nothing) {
    this.addsBias = addsBias;
    this.weights = weights;
    this.nothing = nothing;
    this.packed = type.unusedName("packed_weight");
    this.scale = type.unusedName("input_scale");
  }

  /**
   * Changes a class with such products, and all code that reads the weights of its instances.
   *
   * @param nothing the tensor that stands in the place of a weight that is packed
   */
  static PackedLinearClass change(
      ScriptType type, LinearProducts products, IntegerWeights weights, PickleObject nothing) {
    var changed = new PackedLinearClass(type, products.addBias(), weights, nothing);
    type.addAttribute(changed.packed, "Optional[%s]".formatted(PackedLinear.TYPE));
    type.addAttribute(changed.scale, "float");
    String multiply = type.unusedName("quantized_linear");
    String unpack = type.unusedName("unpacked_weight");
    for (AttributeRead read : products.reads()) {
      // Of other products the input is not what was observed.
      read.calls().stream()
          .filter(products::contains)
          .forEach(
              call -> call.redirect("(%s).%s".formatted(read.module(), multiply), Set.of(0, 2)));
      read.replaceByCallOf(unpack);
    }
    type.addMethod(
        multiply, "input: Tensor, bias: Optional[Tensor]=None", "Tensor", changed.multiplying());
    type.addMethod(unpack, "", "Tensor", changed.unpacking());
    return changed;
  }

  @Override
  public void initializeNative(ScriptModule module) {
    module.attributes().put(packed, PickleNone.NONE);
    module.attributes().put(scale, new PickleFloat(1));
  }

  @Override
  public long initialize(ScriptModule module, RoundedWeight weight, FakeQuantizer input) {
    List<Long> shape = weight.weight().shape();
    PickleValue bias =
        addsBias ? module.attributes().get(BIAS).orElse(PickleNone.NONE) : PickleNone.NONE;
    PickleObject codes =
        PackedLinear.weight(
            weights.rewriter(), weights.codes(weight), shape, () -> IntegerWeights.scales(weight));
    module.attributes().put(packed, PackedLinear.parameters(weights.rewriter(), codes, bias));
    module.attributes().put(scale, new PickleFloat(1.0 / input.multiplier()));
    module.attributes().put(WEIGHT, nothing);
    return PackedLinear.bytes(shape);
  }

  private String multiplying() {
    return """
    packed = self.%s
    if torch.__is__(packed, None):
      output = torch.linear(input, self.weight, bias)
    else:
      weight = unchecked_cast(%s, packed)
      output = ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(input, self.%s, 128, weight)
    return output
    """
        .formatted(packed, PackedLinear.TYPE, scale);
  }

  private String unpacking() {
    return """
    packed = self.%s
    if torch.__is__(packed, None):
      output = self.weight
    else:
      weight, bias = ops.quantized.linear_unpack(unchecked_cast(%s, packed))
      output = torch.dequantize(weight)
    return output
    """
        .formatted(packed, PackedLinear.TYPE);
  }
}
