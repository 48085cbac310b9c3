package dev.kvant.backend.modelopt;

import dev.kvant.api.ElementType;
import dev.kvant.numerics.FakeQuantizer;
import dev.kvant.torch.pickle.PickleNone;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.script.Convolution;
import dev.kvant.torch.script.ConvolutionProducts;
import dev.kvant.torch.script.ScriptModule;
import dev.kvant.torch.script.ScriptType;
import dev.kvant.torch.tensor.TensorNode;
import dev.kvant.torch.tensor.TensorPickler;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;

/**
 * Changes a class of an archive's code so that its instances convolve integers, by a {@link
 * PackedConvolution} that each of them holds.
 */
final class PackedConvolutionClass implements IntegerProducts {

  /** With fewer weights the time goes into calls, and there is nothing to save. */
  private static final long MIN_WEIGHTS = 4096;

  /**
   * With fewer products for each value of the input, quantizing the value costs what integers save.
   * Measured with VNNI: quantizing takes 0.4 ns a value, a product 0.02 ns in float32 and 0.005 ns
   * in int8.
   */
  private static final long MIN_PRODUCTS = 32;

  private static final String WEIGHT = "weight";

  private final PackedConvolution convolutions;
  private final Convolution convolution;
  private final IntegerWeights weights;
  private final PickleObject nothing;
  private final boolean isRowMajor;
  private final String packed;

  private PackedConvolutionClass(
      ScriptType type,
      Convolution convolution,
      IntegerWeights weights,
      PickleObject nothing,
      boolean isRowMajor) {
    this.convolutions = new PackedConvolution(convolution.dimensions());
    this.convolution = convolution;
    this.weights = weights;
    this.nothing = nothing;
    this.isRowMajor = isRowMajor;
    this.packed = type.unusedName("packed_convolution");
  }

  /**
   * Why int8 does not pay for a convolution.
   *
   * @param shape the weight's: outputs, inputs of a group, extents
   * @return empty if it does
   */
  static Optional<String> objection(Convolution convolution, List<Long> shape) {
    long elements = shape.stream().reduce(1L, Math::multiplyExact);
    if (convolution.groups() > 1 && shape.get(1) == 1) {
      return Optional.of("int8 does not pay here, each of its channels has a kernel of its own");
    }
    if (elements < MIN_WEIGHTS) {
      return Optional.of("int8 does not pay here, it has only %s weights".formatted(elements));
    }
    long steps = convolution.stride().stream().reduce(1L, Math::multiplyExact);
    long products = elements / (shape.get(1) * convolution.groups() * steps);
    return products < MIN_PRODUCTS
        ? Optional.of(
            "int8 does not pay here, a value of its input has only %s products".formatted(products))
        : Optional.empty();
  }

  /**
   * Changes a class with such products, and all code that reads the weights of its instances.
   *
   * @param nothing the tensor that stands in the place of a weight that is packed
   * @param isRowMajor whether outputs must be contiguous
   */
  static PackedConvolutionClass change(
      ScriptType type,
      ConvolutionProducts products,
      IntegerWeights weights,
      PickleObject nothing,
      boolean isRowMajor) {
    var changed =
        new PackedConvolutionClass(type, products.convolution(), weights, nothing, isRowMajor);
    weights.rewriter().addRecord(changed.convolutions.record(), changed.convolutions.code());
    String name = changed.convolutions.type().qualifiedName();
    type.addAttribute(changed.packed, "Optional[%s]".formatted(name));
    String multiply = type.unusedName("quantized_convolution");
    String unpack = type.unusedName("unpacked_weight");
    products.redirect(multiply, unpack);
    type.addMethod(
        multiply,
        "input: Tensor, bias: Optional[Tensor]=None",
        "Tensor",
        """
        packed = self.%1$s
        if torch.__is__(packed, None):
          output = %2$s
        else:
          output = (unchecked_cast(%3$s, packed)).multiply(input, bias, )
        return output
        """
            .formatted(changed.packed, products.unchanged(), name));
    type.addMethod(
        unpack,
        "",
        "Tensor",
        """
        packed = self.%1$s
        if torch.__is__(packed, None):
          output = self.weight
        else:
          output = (unchecked_cast(%2$s, packed)).weight()
        return output
        """
            .formatted(changed.packed, name));
    return changed;
  }

  @Override
  public void initializeNative(ScriptModule module) {
    module.attributes().put(packed, PickleNone.NONE);
  }

  @Override
  public long initialize(ScriptModule module, RoundedWeight weight, FakeQuantizer input) {
    List<Long> shape = weight.weight().shape();
    TensorPickler pickler = TensorPickler.forScript();
    double[] scales = IntegerWeights.scales(weight);
    ByteBuffer content =
        ByteBuffer.allocate(scales.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (double scale : scales) {
      content.putFloat((float) scale);
    }
    String scaleStorage =
        weights
            .rewriter()
            .storages()
            .add(content.capacity(), channel -> channel.write(content.duplicate().flip()));
    module
        .attributes()
        .put(
            packed,
            convolutions.instance(
                pickler.node(TensorNode.contiguous(ElementType.INT8, weights.codes(weight), shape)),
                shape,
                pickler.node(
                    TensorNode.contiguous(
                        ElementType.FLOAT32, scaleStorage, List.of(shape.get(0)))),
                input,
                convolution,
                convolution.zeros(shape).orElseThrow(),
                isRowMajor));
    module.attributes().put(WEIGHT, nothing);
    return weight.weight().elements() + content.capacity();
  }
}
