package dev.kvant.backend.modelopt;

import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleFloat;
import dev.kvant.torch.pickle.PickleNone;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.script.AttributeRead;
import dev.kvant.torch.script.CallArgument;
import dev.kvant.torch.script.ScriptCode;
import dev.kvant.torch.script.ScriptType;
import java.util.List;
import java.util.Set;

/**
 * Changes a class of an archive's code so that its instances multiply integers: they quantize their
 * input with a scale that is given, and hold an int8 weight in the order that the processor likes.
 *
 * <p>libtorch's operator takes unsigned inputs; with 128 for zero these are the signed ones.
 */
final class PackedLinearClass {

  /** The class of packed weights. */
  static final String PACKED = "__torch__.torch.classes.quantized";

  /** The name of that class in its package. */
  static final String PACKED_NAME = "LinearPackedParamsBase";

  /** The record that must have code of that package, if none at all. */
  static final String RECORD = "code/__torch__/torch/classes/quantized.py";

  private static final String WEIGHT = "weight";

  private static final Set<String> LINEAR =
      Set.of("torch.linear", "__torch__.torch.nn.functional.linear");

  private final String packed;
  private final String scale;

  private PackedLinearClass(ScriptType type) {
    this.packed = type.unusedName("packed_weight");
    this.scale = type.unusedName("input_scale");
  }

  /** Whether every method multiplies its input with the weight by one call and no other way. */
  static boolean fits(ScriptCode code, ScriptType type, List<ForwardMethod> methods) {
    if (!code.untraced(WEIGHT).isEmpty() || !code.writers(type, WEIGHT).isEmpty()) {
      return false;
    }
    List<AttributeRead> reads = code.reads(type, WEIGHT);
    return !methods.isEmpty()
        && methods.stream()
            .allMatch(
                method ->
                    reads.stream()
                        .filter(read -> read.reader().equals(type.name() + "." + method.name()))
                        .flatMap(read -> read.calls().stream())
                        .filter(PackedLinearClass::isLinear)
                        .anyMatch(call -> call.arguments().get(0).equals(method.input())));
  }

  private static boolean isLinear(CallArgument call) {
    return LINEAR.contains(call.function())
        && call.index() == 1
        && call.arguments().size() <= 3
        && call.arguments().stream().noneMatch(argument -> argument.matches("\\w+=[^=].*"));
  }

  /** Changes a class that {@link #fits}, and all code that reads the weights of its instances. */
  static PackedLinearClass change(ScriptCode code, ScriptType type) {
    var changed = new PackedLinearClass(type);
    type.addAttribute(changed.packed, "Optional[%s.%s]".formatted(PACKED, PACKED_NAME));
    type.addAttribute(changed.scale, "float");
    String multiply = type.unusedName("quantized_linear");
    String unpack = type.unusedName("unpacked_weight");
    String prefix = type.name() + ".";
    for (AttributeRead read : code.reads(type, WEIGHT)) {
      for (CallArgument call : read.calls()) {
        // Elsewhere the input would not be what was observed.
        if (isLinear(call) && read.reader().startsWith(prefix)) {
          call.redirect("(%s).%s".formatted(read.module(), multiply), Set.of(0, 2));
        }
      }
      read.replaceByCallOf(unpack);
    }
    type.addMethod(
        multiply, "input: Tensor, bias: Optional[Tensor]=None", "Tensor", changed.multiplying());
    type.addMethod(unpack, "", "Tensor", changed.unpacking());
    return changed;
  }

  /** Sets the attributes of an instance with an int8 weight. */
  void initialize(PickleDict attributes, PickleObject packedWeight, double inputScale) {
    attributes.put(packed, packedWeight);
    attributes.put(scale, new PickleFloat(inputScale));
  }

  /** Sets the attributes of another instance. */
  void initializeNative(PickleDict attributes) {
    attributes.put(packed, PickleNone.NONE);
    attributes.put(scale, new PickleFloat(1));
  }

  private String multiplying() {
    return """
    packed = self.%s
    if torch.__is__(packed, None):
      output = torch.linear(input, self.weight, bias)
    else:
      weight = unchecked_cast(%s.%s, packed)
      output = ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(input, self.%s, 128, weight)
    return output
    """
        .formatted(packed, PACKED, PACKED_NAME, scale);
  }

  private String unpacking() {
    return """
    packed = self.%s
    if torch.__is__(packed, None):
      output = self.weight
    else:
      weight, bias = ops.quantized.linear_unpack(unchecked_cast(%s.%s, packed))
      output = torch.dequantize(weight)
    return output
    """
        .formatted(packed, PACKED, PACKED_NAME);
  }
}
