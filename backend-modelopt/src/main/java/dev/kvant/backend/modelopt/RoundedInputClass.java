package dev.kvant.backend.modelopt;

import dev.kvant.numerics.FakeQuantizer;
import dev.kvant.numerics.QuantizedType;
import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleInt;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.script.ForwardMethod;
import dev.kvant.torch.script.ScriptType;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Changes a class of an archive's code so that its instances round their input to what an 8-bit
 * type can hold, with the arithmetic of {@link FakeQuantizer}. The factors are tensors: TorchScript
 * would divide by a number of its own text by multiplying with the reciprocal.
 */
final class RoundedInputClass {

  /** What stands in an instance that leaves its input as it is. */
  private static final int NATIVE = 0;

  private final String grid;
  private final String multiplier;
  private final String divisor;

  private RoundedInputClass(ScriptType type) {
    this.grid = type.unusedName("input_type");
    this.multiplier = type.unusedName("input_multiplier");
    this.divisor = type.unusedName("input_divisor");
  }

  /** Changes a class. */
  static RoundedInputClass change(ScriptType type, List<ForwardMethod> methods) {
    var rounded = new RoundedInputClass(type);
    type.addAttribute(rounded.grid, "int");
    type.addBuffer(rounded.multiplier, "Tensor");
    type.addBuffer(rounded.divisor, "Tensor");
    String round = type.unusedName("quantized_input");
    type.addMethod(round, "input: Tensor", "Tensor", rounded.rounding());
    for (ForwardMethod method : methods) {
      type.insertFirst(
          method.name(),
          "%1$s = (%2$s).%3$s(%1$s, )".formatted(method.input(), method.self(), round));
    }
    return rounded;
  }

  /**
   * Sets an instance's attributes.
   *
   * @param input how its input is quantized; empty if it stays as it is
   * @param scalars makes tensors of no dimension
   */
  void initialize(
      PickleDict attributes,
      Optional<OperandQuantization> input,
      Function<Float, PickleObject> scalars) {
    attributes.put(grid, PickleInt.of(input.map(RoundedInputClass::scalarType).orElse(NATIVE)));
    Optional<FakeQuantizer> quantizer =
        input.map(range -> FakeQuantizer.of(range.type(), range.amax()[0]));
    attributes.put(multiplier, scalars.apply(quantizer.map(FakeQuantizer::multiplier).orElse(1f)));
    attributes.put(divisor, scalars.apply(quantizer.map(FakeQuantizer::divisor).orElse(1f)));
  }

  /** The number that libtorch gives to the type of the codes. */
  private static int scalarType(OperandQuantization input) {
    return switch (input.type()) {
      case INT8 -> 1;
      case FLOAT8_E5M2 -> 23;
      case FLOAT8_E4M3FN -> 24;
    };
  }

  private String rounding() {
    return """
    if torch.eq(self.%1$s, 0):
      output = input
    else:
      scaled = torch.mul(torch.to(input, 6), self.%2$s)
      if torch.eq(self.%1$s, 1):
        restored = torch.div(torch.clamp(torch.round(scaled), -128, 127), self.%3$s)
      else:
        if torch.eq(self.%1$s, 24):
          codes = torch.to(torch.clamp(scaled, -%4$s, %4$s), 24)
        else:
          codes = torch.to(torch.clamp(scaled, -%5$s, %5$s), 23)
        restored = torch.mul(torch.to(codes, 6), torch.reciprocal(self.%3$s))
      output = torch.to(restored, ops.prim.dtype(input))
    return output
    """
        .formatted(
            grid,
            multiplier,
            divisor,
            QuantizedType.FLOAT8_E4M3FN.max(),
            QuantizedType.FLOAT8_E5M2.max());
  }
}
