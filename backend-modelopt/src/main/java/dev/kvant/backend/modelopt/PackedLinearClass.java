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
import java.util.stream.Stream;

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
  private static final String BIAS = "bias";

  private static final Set<String> LINEAR =
      Set.of("torch.linear", "__torch__.torch.nn.functional.linear");

  private final boolean addsBias;
  private final String packed;
  private final String scale;

  private PackedLinearClass(ScriptType type, boolean addsBias) {
    this.addsBias = addsBias;
    this.packed = type.unusedName("packed_weight");
    this.scale = type.unusedName("input_scale");
  }

  /**
   * Whether every method multiplies its input with the weight by one call and no other way, and
   * adds the bias in every one of these or in none.
   */
  static boolean fits(ScriptCode code, ScriptType type, List<ForwardMethod> methods) {
    if (!code.untraced(WEIGHT).isEmpty() || isChanged(code, type, WEIGHT)) {
      return false;
    }
    List<AttributeRead> reads = code.reads(type, WEIGHT);
    List<CallArgument> products =
        reads.stream().flatMap(read -> products(read, type, methods)).toList();
    boolean addsBias = products.stream().anyMatch(PackedLinearClass::hasBias);
    List<CallArgument> biases =
        code.reads(type, BIAS).stream().flatMap(read -> read.calls().stream()).toList();
    return !methods.isEmpty()
        && methods.stream()
            .allMatch(
                method ->
                    reads.stream()
                        .flatMap(read -> products(read, type, List.of(method)))
                        .findAny()
                        .isPresent())
        && (!addsBias || !isChanged(code, type, BIAS))
        && products.stream()
            .allMatch(product -> addsBias ? takesOwnBias(product, biases) : !hasBias(product));
  }

  private static boolean isChanged(ScriptCode code, ScriptType type, String attribute) {
    return !code.writers(type, attribute).isEmpty()
        || code.reads(type, attribute).stream().anyMatch(read -> !read.changers().isEmpty());
  }

  /** The calls that multiply what a method is given with a weight that was read. */
  private static Stream<CallArgument> products(
      AttributeRead read, ScriptType type, List<ForwardMethod> methods) {
    return methods.stream()
        .filter(method -> read.reader().equals(type.name() + "." + method.name()))
        .filter(method -> read.module().equals(method.self()))
        .flatMap(
            method ->
                read.calls().stream()
                    .filter(PackedLinearClass::isLinear)
                    .filter(call -> call.arguments().get(0).equals(method.input())));
  }

  private static boolean isLinear(CallArgument call) {
    return LINEAR.contains(call.function())
        && call.index() == 1
        && call.arguments().size() <= 3
        && call.arguments().stream().noneMatch(argument -> argument.matches("\\w+=[^=].*"));
  }

  private static boolean hasBias(CallArgument product) {
    return product.arguments().size() > 2 && !product.arguments().get(2).equals("None");
  }

  private static boolean takesOwnBias(CallArgument product, List<CallArgument> biases) {
    return biases.stream().anyMatch(bias -> bias.index() == 2 && bias.isOf(product));
  }

  /** Changes a class that {@link #fits}, and all code that reads the weights of its instances. */
  static PackedLinearClass change(ScriptCode code, ScriptType type, List<ForwardMethod> methods) {
    List<AttributeRead> reads = code.reads(type, WEIGHT);
    var changed =
        new PackedLinearClass(
            type,
            reads.stream()
                .flatMap(read -> products(read, type, methods))
                .anyMatch(PackedLinearClass::hasBias));
    type.addAttribute(changed.packed, "Optional[%s.%s]".formatted(PACKED, PACKED_NAME));
    type.addAttribute(changed.scale, "float");
    String multiply = type.unusedName("quantized_linear");
    String unpack = type.unusedName("unpacked_weight");
    for (AttributeRead read : reads) {
      // Of other products the input is not what was observed.
      products(read, type, methods)
          .forEach(
              call -> call.redirect("(%s).%s".formatted(read.module(), multiply), Set.of(0, 2)));
      read.replaceByCallOf(unpack);
    }
    type.addMethod(
        multiply, "input: Tensor, bias: Optional[Tensor]=None", "Tensor", changed.multiplying());
    type.addMethod(unpack, "", "Tensor", changed.unpacking());
    return changed;
  }

  /** Whether its products add the bias. */
  boolean addsBias() {
    return addsBias;
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
