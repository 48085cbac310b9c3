package dev.kvant.backend.torchao;

import dev.kvant.api.ElementType;
import dev.kvant.backend.torchao.TorchaoOptions.Kernel;
import dev.kvant.torch.PackedLinear;
import dev.kvant.torch.script.AttributeRead;
import dev.kvant.torch.script.CallArgument;
import dev.kvant.torch.script.LinearProducts;
import dev.kvant.torch.script.ScriptCode;
import dev.kvant.torch.script.ScriptType;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Changes a class of an archive's code so that {@code weight} may hold 8-bit codes.
 *
 * <p>The class gets the scales as a buffer and a method that restores the weight, {@code code ·
 * scale}, which every place that reads the weight calls instead. Where the weight goes straight
 * into a product or a lookup there are shorter ways, each a method too:
 *
 * <ul>
 *   <li>{@code linear(x, code · scale) + bias} is {@code linear(x, code) · scale + bias}: fewer
 *       values to scale, and codes are converted in blocks that stay in the processor's cache. Not
 *       for float16, in which sums of products with codes overflow;
 *   <li>rows of an embedding are looked up first and scaled then.
 * </ul>
 *
 * <p>Instances whose weight stays as it is have no scales, which the methods look at. Instances
 * that quantize their input at run time have packed parameters instead of a weight: libtorch
 * multiplies codes by codes.
 */
final class EightBitClass {

  /** In place, because that halves the time; of a copy, whatever type the codes were cast to. */
  private static final String RESTORED = "torch.mul_(torch.to(self.weight, 6, False, True), scale)";

  private static final String RETURN = "return output\n";

  /** Position of the mode of {@code torch.nn.functional.embedding} that changes the weight. */
  private static final int MAX_NORM = 3;

  /** What the AVX-512 kernel of {@code _weight_int8pack_mm} reads at a time without checking. */
  static final int PACKED_COLUMNS = 16;

  private final ScriptType type;
  private final boolean someNative;
  private final List<ElementType> originals;
  private final Kernel kernel;
  private final boolean allPackable;
  private final @Nullable LinearProducts dynamic;
  private final String scale;
  private final String packed;
  private final String originalType;
  private final String restore;
  private final String multiply;
  private final String lookUp;
  private boolean multiplies;

  /**
   * A class.
   *
   * @param someNative whether some instances have no codes: they keep their weight, or have packed
   *     parameters
   * @param originals the types that the weights had, without repetition
   * @param allPackable whether all weights suit {@link Kernel#INT8PACK}
   * @param dynamic the products of instances that quantize their input, or null if none does
   */
  EightBitClass(
      ScriptType type,
      boolean someNative,
      List<ElementType> originals,
      Kernel kernel,
      boolean allPackable,
      @Nullable LinearProducts dynamic) {
    this.type = type;
    this.someNative = someNative;
    this.originals = List.copyOf(originals);
    this.kernel = kernel;
    this.allPackable = allPackable;
    this.dynamic = dynamic;
    this.packed = type.unusedName("packed_weight");
    this.scale = type.unusedName("weight_scale");
    this.originalType = type.unusedName("weight_type");
    this.restore = type.unusedName("dequantized_weight");
    this.multiply = type.unusedName("quantized_linear");
    this.lookUp = type.unusedName("quantized_embedding");
  }

  /** The attribute with the scales: a tensor, or None in an instance that stays native. */
  String scaleAttribute() {
    return scale;
  }

  /** Whether every instance has {@link #packedAttribute}. */
  boolean isDynamic() {
    return dynamic != null;
  }

  /** The attribute with packed parameters: None in an instance that does not quantize its input. */
  String packedAttribute() {
    return packed;
  }

  /** Whether the products of instances with packed parameters add the bias. */
  boolean packsBias() {
    return dynamic != null && dynamic.addBias();
  }

  /** Whether every instance tells the type of its weight, by {@link #originalTypeAttribute}. */
  boolean hasOriginalType() {
    return originals.size() > 1;
  }

  /** The attribute with the number that libtorch gives to the type that the weight had. */
  String originalTypeAttribute() {
    return originalType;
  }

  /** Whether the changed code has a product that the kernel is for. */
  boolean multiplies() {
    return multiplies;
  }

  /** The number that libtorch gives to a type. */
  static int scalarType(ElementType elementType) {
    return switch (elementType.label()) {
      case "float16" -> 5;
      case "float32" -> 6;
      case "bfloat16" -> 15;
      default -> throw new IllegalArgumentException(elementType + " is no type of weights");
    };
  }

  /** Changes the class and all code that reads the weights of its instances. */
  void change(ScriptCode code) {
    type.addBuffer(scale, someNative ? "Optional[Tensor]" : "Tensor");
    if (hasOriginalType()) {
      type.addAttribute(originalType, "int");
    }
    if (isDynamic()) {
      type.addAttribute(packed, "Optional[%s]".formatted(PackedLinear.TYPE));
    }
    type.addMethod(
        restore,
        "",
        "Tensor",
        withPacked(
            steered("self.weight", restored()),
            """
            weight, bias = ops.quantized.linear_unpack(parameters)
            output = torch.dequantize(weight)
            """));
    boolean looksUp = false;
    for (AttributeRead read : code.reads(type, PlannedWeights.WEIGHT)) {
      boolean isChanged = !read.changers().isEmpty();
      for (CallArgument call : isChanged ? List.<CallArgument>of() : read.calls()) {
        if (LinearProducts.isLinear(call) && (dynamic == null || dynamic.contains(call))) {
          call.redirect("(%s).%s".formatted(read.module(), multiply), Set.of(0, 2));
          multiplies = true;
        } else if (isLookUp(call)) {
          call.redirect(
              "(%s).%s".formatted(read.module(), lookUp), Set.of(call.index() == 0 ? 1 : 0));
          looksUp = true;
        }
      }
      read.replaceByCallOf(restore);
    }
    if (multiplies) {
      type.addMethod(
          multiply,
          "input: Tensor, bias: Optional[Tensor]=None",
          "Tensor",
          withPacked(
              steered("torch.linear(input, self.weight, bias)", multiplied()),
              "output = ops.quantized.linear_dynamic(input, parameters)\n"));
    }
    if (looksUp) {
      type.addMethod(
          lookUp,
          "input: Tensor",
          "Tensor",
          steered("torch.embedding(self.weight, input)", lookedUp()) + RETURN);
    }
  }

  private static boolean isLookUp(CallArgument call) {
    int arguments = call.arguments().size();
    boolean plain = call.function().equals("torch.embedding") && call.index() == 0 && arguments > 1;
    boolean functional =
        call.function().equals("__torch__.torch.nn.functional.embedding")
            && call.index() == 1
            && (arguments <= MAX_NORM || call.arguments().get(MAX_NORM).equals("None"));
    return (plain || functional) && IntStream.range(2, arguments).allMatch(call::isLiteral);
  }

  /** A body that tells instances with packed parameters from others, where there are such. */
  private String withPacked(String ofOthers, String ofPacked) {
    return !isDynamic()
        ? ofOthers + RETURN
        : """
        packed = self.%s
        if torch.__is__(packed, None):
        %selse:
          parameters = unchecked_cast(%s, packed)
        %s\
        """
                .formatted(packed, ofOthers.indent(2), PackedLinear.TYPE, ofPacked.indent(2))
            + RETURN;
  }

  /** Lines that tell native instances from others, where there are such. */
  private String steered(String ofNative, String ofQuantized) {
    if (!someNative) {
      return "scale = self.%s\n%s".formatted(scale, ofQuantized);
    }
    return """
    weight_scale = self.%s
    if torch.__is__(weight_scale, None):
      output = %s
    else:
      scale = unchecked_cast(Tensor, weight_scale)
    %s\
    """
        .formatted(scale, ofNative, ofQuantized.indent(2));
  }

  private String restored() {
    return "output = " + inOriginalType(RESTORED) + "\n";
  }

  private String lookedUp() {
    String rows = "torch.to(torch.embedding(self.weight, input), 6)";
    return "output = "
        + inOriginalType("torch.mul(%s, torch.embedding(scale, input))".formatted(rows))
        + "\n";
  }

  private String inOriginalType(String float32) {
    if (hasOriginalType()) {
      return "torch.to(%s, self.%s)".formatted(float32, originalType);
    }
    return originals.contains(ElementType.FLOAT32)
        ? float32
        : "torch.to(%s, %s)".formatted(float32, scalarType(originals.get(0)));
  }

  private String multiplied() {
    return """
    weight = self.weight
    dtype = ops.prim.dtype(input)
    if torch.eq(dtype, 5):
      output = torch.linear(input, torch.to(%s, 5), bias)
    else:
    %s  scales = torch.flatten(scale)
      if torch.__is__(bias, None):
        scaled = torch.mul(product, scales)
      else:
        scaled = torch.addcmul(unchecked_cast(Tensor, bias), product, scales)
      output = torch.to(scaled, dtype)
    """
        .formatted(RESTORED, product().indent(2));
  }

  private String product() {
    if (kernel == Kernel.DEQUANTIZE) {
      return blockedProduct();
    }
    if (allPackable) {
      return packedProduct();
    }
    return """
    if torch.eq(torch.remainder(torch.size(weight, 1), %s), 0):
    %selse:
    %s\
    """
        .formatted(PACKED_COLUMNS, packedProduct().indent(2), blockedProduct().indent(2));
  }

  /**
   * Converts as many rows at a time as stay in the processor's cache, always into the same memory:
   * fresh pages for each block would cost several times the product of a few rows.
   */
  private static String blockedProduct() {
    return """
    columns = torch.size(weight, 1)
    block = ops.prim.max(torch.floordiv(524288, columns), 16)
    if torch.le(torch.size(weight, 0), torch.mul(block, 2)):
      product = torch.linear(input, torch.to(weight, dtype))
    else:
      buffer = torch.empty([block, columns], dtype=dtype, layout=None, device=ops.prim.device(weight))
      products = annotate(List[Tensor], [])
      for part in torch.split(weight, block):
        rows = torch.slice(buffer, 0, 0, torch.size(part, 0))
        _0 = torch.copy_(rows, part)
        _1 = torch.append(products, torch.linear(input, rows))
      product = torch.cat(products, -1)
    """;
  }

  /**
   * The kernel's own scales are bfloat16: they are ones, so that the real ones lose nothing. The
   * input is copied, because the kernel wants it aligned.
   */
  private static String packedProduct() {
    return """
    inputs = torch.to(torch.reshape(input, [-1, torch.size(input, -1)]), 15, False, True, 0)
    ones = torch.new_ones(inputs, [torch.size(weight, 0)])
    packed = torch._weight_int8pack_mm(inputs, weight, ones)
    shape = torch.add(torch.slice(torch.size(input), 0, -1), [torch.size(weight, 0)])
    product = torch.reshape(packed, shape)
    """;
  }
}
