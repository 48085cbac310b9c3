package dev.kvant.backend.torchao;

import dev.kvant.api.ElementType;
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
import dev.kvant.torch.tensor.DenseTensor;
import dev.kvant.torch.tensor.TensorNode;
import dev.kvant.torch.tensor.TensorPickler;
import java.util.ArrayList;
import java.util.List;

/** Makes pickle nodes of torchao's tensors, entry by entry as torchao 0.18 writes them. */
final class TorchaoTensors {

  private static final PickleGlobal INT8 = new PickleGlobal("torchao.quantization", "Int8Tensor");
  private static final PickleGlobal FLOAT8 =
      new PickleGlobal("torchao.quantization", "Float8Tensor");

  private final TensorPickler pickler;
  private final PickleObject layout =
      PickleObject.call(
          new PickleGlobal("torch.serialization", "_get_layout"), new PickleText("torch.strided"));
  private final PickleObject device =
      PickleObject.call(new PickleGlobal("torch", "device"), new PickleText("cpu"));
  private final PickleObject kernelPreference =
      PickleObject.call(
          new PickleGlobal(
              "torchao.quantization.quantize_.common.kernel_preference", "KernelPreference"),
          new PickleText("auto"));

  /** How products quantize their input: symmetrically, by its rows. */
  private final PickleObject inputByRow = inputByRow();

  TorchaoTensors(TensorPickler pickler) {
    this.pickler = pickler;
  }

  private static PickleObject inputByRow() {
    PickleDict row = new PickleDict();
    row.put("dim", PickleInt.of(-1));
    PickleDict settings = new PickleDict();
    settings.put(
        "granularity",
        PickleObject.instance(new PickleGlobal("torchao.quantization.granularity", "PerRow"), row));
    settings.put(
        "mapping_type",
        PickleObject.call(
            new PickleGlobal("torchao.quantization.quant_primitives", "MappingType"),
            PickleInt.of(1)));
    settings.put("reduce_range", new PickleBool(false));
    return PickleObject.instance(
        new PickleGlobal(
            "torchao.quantization.quantize_.workflows.int8.int8_tensor",
            "QuantizeTensorToInt8Kwargs"),
        settings);
  }

  /**
   * A weight with int8 codes.
   *
   * @param original the type that it had, and still claims to have
   * @param shape its dimensions
   * @param codes the storage of the codes
   * @param scales the storage of the scales, float32
   * @param zeroPoints the storage of the zero points, int8
   * @param quantizesInput whether products quantize their input to int8, with a scale for each row
   *     that they find at run time: Int8DynamicActivationInt8WeightConfig
   */
  PickleObject int8(
      ElementType original,
      List<Long> shape,
      String codes,
      String scales,
      String zeroPoints,
      boolean quantizesInput) {
    PickleDict state = new PickleDict();
    state.put("qdata", node(ElementType.INT8, codes, shape));
    state.put("scale", node(ElementType.FLOAT32, scales, perRow(shape)));
    state.put("block_size", blockSize(shape));
    state.put("zero_point", node(ElementType.INT8, zeroPoints, perRow(shape)));
    state.put("act_quant_kwargs", quantizesInput ? inputByRow : PickleNone.NONE);
    state.put("act_quant_scale", PickleNone.NONE);
    state.put("act_quant_zero_point", PickleNone.NONE);
    state.put("act_pre_scale", PickleNone.NONE);
    state.put("reduce_range", new PickleBool(false));
    return wrapper(INT8, original, shape, state);
  }

  /**
   * A weight with float8 codes.
   *
   * @param original the type that it had, and still claims to have
   * @param type the type of the codes
   * @param shape its dimensions
   * @param codes the storage of the codes
   * @param scales the storage of the scales, float32
   */
  PickleObject float8(
      ElementType original, ElementType type, List<Long> shape, String codes, String scales) {
    PickleDict state = new PickleDict();
    state.put("qdata", node(type, codes, shape));
    state.put("scale", node(ElementType.FLOAT32, scales, perRow(shape)));
    state.put("block_size", blockSize(shape));
    state.put("mm_config", PickleNone.NONE);
    state.put("act_quant_kwargs", PickleNone.NONE);
    state.put("kernel_preference", kernelPreference);
    return wrapper(FLOAT8, original, shape, state);
  }

  private PickleObject node(ElementType type, String storage, List<Long> shape) {
    return pickler.node(TensorNode.contiguous(type, storage, shape));
  }

  /** One value for each row: the last dimension is what was reduced. */
  private static List<Long> perRow(List<Long> shape) {
    return List.of(shape.get(0), 1L);
  }

  private static PickleList blockSize(List<Long> shape) {
    return PickleList.of(PickleInt.of(1), PickleInt.of(shape.get(1)));
  }

  private PickleObject wrapper(
      PickleGlobal type, ElementType original, List<Long> shape, PickleDict state) {
    List<PickleValue> data = new ArrayList<>();
    data.add(type);
    data.add(new PickleGlobal("torch", original.label()));
    data.add(PickleTuple.ofInts(shape));
    data.add(PickleTuple.ofInts(DenseTensor.rowMajor(shape)));
    data.add(PickleInt.of(0));
    data.add(layout);
    data.add(device);
    data.add(new PickleBool(false));
    return PickleObject.call(
        new PickleGlobal("torch._tensor", "_rebuild_from_type_v2"),
        new PickleGlobal("torch._utils", "_rebuild_wrapper_subclass"),
        type,
        new PickleTuple(data),
        state);
  }
}
