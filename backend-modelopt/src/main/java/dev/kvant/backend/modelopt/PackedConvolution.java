package dev.kvant.backend.modelopt;

import dev.kvant.numerics.FakeQuantizer;
import dev.kvant.torch.pickle.PickleBool;
import dev.kvant.torch.pickle.PickleFloat;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleInt;
import dev.kvant.torch.pickle.PickleList;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleTuple;
import dev.kvant.torch.pickle.PickleValue;
import dev.kvant.torch.script.Convolution;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A class for archives that convolves integers: it quantizes the input as {@link FakeQuantizer}
 * does, multiplies the codes with an int8 weight that has a scale for each output channel, sums in
 * int32, and gives float32.
 *
 * <p>The archive holds the codes of the weight. They are packed for the processor when the archive
 * is loaded, not when it runs first, so that several threads can run it. The operator takes
 * unsigned inputs; with 128 for zero these are the signed ones.
 *
 * <p>The order of a packed weight depends on the shape of the input in two ways: kernels of one
 * element have one order for few places and another for more, and all orders that are made without
 * a shape are worse. An input for which a weight is not in order costs time and changes nothing.
 *
 * <p>There is a class for each number of dimensions, so that an archive names the operators that it
 * uses and no others.
 */
final class PackedConvolution {

  /** From this number of places on the operator orders kernels of one element otherwise. */
  private static final int MANY_PLACES = 64;

  /** Extents of inputs that are typical of few places and of more. */
  private static final long FEW_EXTENT = 7;

  private static final long EXTENT = 14;

  private static final String MODULE = "__torch__.kvant_convolution%sd";

  private final int dimensions;

  /** For inputs with 1 to 3 dimensions of space. */
  PackedConvolution(int dimensions) {
    this.dimensions = dimensions;
  }

  /** The class. */
  PickleGlobal type() {
    return new PickleGlobal(MODULE.formatted(dimensions), "PackedConvolution");
  }

  /** The record with its code. */
  String record() {
    return "code/%s.py".formatted(MODULE.formatted(dimensions).replace('.', '/'));
  }

  /**
   * An instance.
   *
   * @param codes int8, of that shape
   * @param shape outputs, inputs of a group, extents
   * @param scales the real value of one unit of the codes, float32, one for each output
   * @param input how the input is quantized, with a range that is not empty
   * @param convolution what it does
   * @param zeros the zeros before and behind each dimension
   * @param isRowMajor whether outputs are contiguous, as those of other convolutions mostly are,
   *     not channels last, as the operator gives them
   */
  PickleObject instance(
      PickleObject codes,
      List<Long> shape,
      PickleObject scales,
      FakeQuantizer input,
      Convolution convolution,
      List<Long> zeros,
      boolean isRowMajor) {
    return PickleObject.instance(
        type(),
        PickleTuple.of(
            codes,
            scales,
            new PickleFloat(input.multiplier()),
            new PickleFloat(1.0 / input.divisor()),
            PickleTuple.of(list(convolution.stride()), list(zeros), list(convolution.dilation())),
            PickleInt.of(convolution.groups()),
            PickleTuple.of(
                list(inputShape(shape, convolution, FEW_EXTENT)),
                list(inputShape(shape, convolution, EXTENT))),
            new PickleBool(isRowMajor)));
  }

  /** The shape of an input with such extents, or larger ones if the kernel needs them. */
  private static List<Long> inputShape(List<Long> shape, Convolution convolution, long extent) {
    boolean isOneElement = shape.subList(2, shape.size()).stream().allMatch(size -> size == 1);
    List<Long> input = new ArrayList<>(List.of(1L, shape.get(1) * convolution.groups()));
    for (int i = 0; i < convolution.dimensions(); i++) {
      long reach = convolution.dilation().get(i) * (shape.get(i + 2) - 1) + 1;
      input.add(Math.max(isOneElement ? extent : EXTENT, reach));
    }
    return input;
  }

  private static PickleObject list(List<Long> numbers) {
    return PickleObject.call(
        new PickleGlobal("torch.jit._pickle", "build_intlist"),
        PickleList.of(numbers.stream().map(PickleInt::of).toArray(PickleValue[]::new)));
  }

  /**
   * The class as text. Scalar types are 0: uint8, 1: int8, 4: int64, 6: float32. An input without
   * elements, which the operator refuses, goes to the floating-point one.
   */
  byte[] code() {
    String state =
        "Tuple[Tensor, Tensor, float, float, Tuple[List[int], List[int], List[int]], int,"
            + " Tuple[List[int], List[int]], bool]";
    return """
    class PackedConvolution:
      codes : Tensor
      scales : Tensor
      input_multiplier : float
      input_scale : float
      stride : List[int]
      padding : List[int]
      dilation : List[int]
      groups : int
      few_places : List[int]
      many_places : List[int]
      is_row_major : bool
      packed_for_few : Tensor
      packed_for_many : Tensor
      zero_points : Tensor
      def multiply(self: %1$s,
        input: Tensor,
        bias: Optional[Tensor]) -> Tensor:
        is_batch = torch.eq(torch.dim(input), %2$s)
        if is_batch:
          batch = input
        else:
          batch = torch.unsqueeze(input, 0)
        if torch.eq(torch.numel(batch), 0):
          weight = torch.to(self.codes, 6)
          output = torch.conv%3$sd(batch, weight, bias, self.stride, self.padding, self.dilation, self.groups)
        else:
          scaled = torch.round_(torch.mul(torch.to(batch, 6), self.input_multiplier))
          signed = torch.to(torch.clamp_(scaled, -128, 127), 1)
          unsigned = torch.bitwise_xor(torch.to(signed, 0), 128)
          channels = torch.mul(torch.size(batch, 0), torch.size(batch, 1))
          if torch.lt(torch.floordiv(torch.numel(batch), channels), %6$s):
            packed = self.packed_for_few
          else:
            packed = self.packed_for_many
          arguments = annotate(List[Optional[number]], [])
          output = ops.onednn.qconv%3$sd_pointwise(unsigned, self.input_scale, 128, packed, self.scales, self.zero_points, bias, self.stride, self.padding, self.dilation, self.groups, 1., 0, 6, "none", arguments, "")
        if self.is_row_major:
          ordered = torch.contiguous(output)
        else:
          ordered = output
        if is_batch:
          result = ordered
        else:
          result = torch.squeeze(ordered, 0)
        return result
      def weight(self: %1$s) -> Tensor:
        shape = [-1, %4$s]
        return torch.mul(torch.to(self.codes, 6), torch.view(self.scales, shape))
      def __getstate__(self: %1$s) -> %5$s:
        places = (self.stride, self.padding, self.dilation)
        return (self.codes, self.scales, self.input_multiplier, self.input_scale, places, self.groups, (self.few_places, self.many_places), self.is_row_major)
      def __setstate__(self: %1$s,
        state: %5$s) -> NoneType:
        codes, scales, multiplier, input_scale, places, groups, shapes, is_row_major, = state
        stride, padding, dilation, = places
        few_places, many_places, = shapes
        self.codes = codes
        self.scales = scales
        self.input_multiplier = multiplier
        self.input_scale = input_scale
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        self.few_places = few_places
        self.many_places = many_places
        self.is_row_major = is_row_major
        self.zero_points = torch.zeros([torch.size(codes, 0)], dtype=4)
        self.packed_for_many = ops.onednn.qconv_prepack(codes, scales, input_scale, 128, stride, padding, dilation, groups, many_places)
        if torch.eq(few_places, many_places):
          self.packed_for_few = self.packed_for_many
        else:
          self.packed_for_few = ops.onednn.qconv_prepack(codes, scales, input_scale, 128, stride, padding, dilation, groups, few_places)
        return None
    """
        .formatted(
            type().qualifiedName(),
            dimensions + 2,
            dimensions,
            "1, ".repeat(dimensions) + "1",
            state,
            MANY_PLACES)
        .getBytes(StandardCharsets.UTF_8);
  }
}
