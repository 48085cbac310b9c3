package dev.kvant.torch;

import dev.kvant.api.ElementType;
import dev.kvant.torch.pickle.PickleBool;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleInt;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleReference;
import dev.kvant.torch.pickle.PickleText;
import dev.kvant.torch.pickle.PickleTuple;
import dev.kvant.torch.pickle.PickleValue;
import dev.kvant.torch.tensor.TensorNode;
import dev.kvant.torch.tensor.TensorPickler;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.Supplier;

/**
 * The parameters of a Linear as libtorch's operators {@code quantized::linear…} take them: an int8
 * weight with a scale for each row, and a bias.
 *
 * <p>An archive stores them in row-major order. libtorch packs them for the processor that loads
 * them.
 *
 * @since 0.1.0
 */
public final class PackedLinear {

  private static final String PACKAGE = "__torch__.torch.classes.quantized";
  private static final String NAME = "LinearPackedParamsBase";

  /** The class in TorchScript. */
  public static final String TYPE = PACKAGE + "." + NAME;

  /** The record of code that an archive with such parameters must have. It may be empty. */
  public static final String RECORD = "code/__torch__/torch/classes/quantized.py";

  private PackedLinear() {}

  /**
   * The parameters as a node of the archive's pickle.
   *
   * @param rewriter the archive; gets {@link #RECORD}
   * @param weight the node of the {@linkplain #weight weight}
   * @param bias the node of a float32 bias, or None
   */
  public static PickleObject parameters(
      ScriptRewriter rewriter, PickleObject weight, PickleValue bias) {
    rewriter.addRecord(RECORD, new byte[0]);
    return PickleObject.instance(new PickleGlobal(PACKAGE, NAME), PickleTuple.of(weight, bias));
  }

  /** The bytes that a weight has in an archive, with its scales and zero points. */
  public static long bytes(List<Long> shape) {
    return shape.get(0) * shape.get(1) + shape.get(0) * (Double.BYTES + Long.BYTES);
  }

  /**
   * An int8 weight as a node of the archive's pickle.
   *
   * @param rewriter the archive; gets the storages of scales and zero points
   * @param codes the storage of the codes, row-major
   * @param shape outputs, inputs
   * @param scales the real value of one unit of the code, one for each output; asked for when the
   *     codes are written
   */
  public static PickleObject weight(
      ScriptRewriter rewriter, String codes, List<Long> shape, Supplier<double[]> scales) {
    long outputs = shape.get(0);
    String scaleStorage =
        rewriter
            .storages()
            .add(outputs * Double.BYTES, channel -> channel.write(littleEndian(scales.get())));
    String zeroPoints =
        rewriter
            .storages()
            .add(
                outputs * Long.BYTES,
                channel ->
                    channel.write(ByteBuffer.allocate(Math.toIntExact(outputs * Long.BYTES))));
    return PickleObject.call(
        new PickleGlobal("torch._utils", "_rebuild_qtensor"),
        new PickleReference(
            PickleTuple.of(
                new PickleText("storage"),
                new PickleGlobal("torch", "QInt8Storage"),
                new PickleText(codes),
                new PickleText("cpu"),
                PickleInt.of(shape.get(0) * shape.get(1)))),
        PickleInt.of(0),
        PickleTuple.ofInts(shape),
        PickleTuple.ofInts(List.of(shape.get(1), 1L)),
        PickleTuple.of(
            new PickleGlobal("torch", "per_channel_affine"),
            vector(ElementType.FLOAT64, scaleStorage, outputs),
            vector(ElementType.INT64, zeroPoints, outputs),
            PickleInt.of(0)),
        new PickleBool(false),
        PickleObject.call(new PickleGlobal("collections", "OrderedDict")));
  }

  private static ByteBuffer littleEndian(double[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asDoubleBuffer().put(values);
    return bytes;
  }

  private static PickleObject vector(ElementType type, String storage, long length) {
    return TensorPickler.forScript().node(TensorNode.contiguous(type, storage, List.of(length)));
  }
}
