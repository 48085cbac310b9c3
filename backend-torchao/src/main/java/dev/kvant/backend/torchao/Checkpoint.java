package dev.kvant.backend.torchao;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelTensor;
import dev.kvant.backend.torchao.PlannedWeights.PlannedWeight;
import dev.kvant.torch.CheckpointWriter;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.tensor.CopiedTensors;
import dev.kvant.torch.tensor.StorageRecords;
import dev.kvant.torch.tensor.TensorPickler;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Writes a state dict as {@code torch.save} does with one that torchao has quantized: the same
 * records in the same order, the same entries in the pickle.
 */
final class Checkpoint {

  private static final String ROOT = "quantized_model_torchao";

  /** Where the parts of a quantized weight are. */
  private record Parts(String codes, String scales, String zeroPoints) {}

  private final StorageRecords records = new StorageRecords(Set.of());
  private final TensorPickler pickler = TensorPickler.forPython();
  private final TorchaoTensors quantizedTensors = new TorchaoTensors(pickler);
  private final Map<QuantizedWeight, Parts> parts = new HashMap<>();
  private final Workspace workspace;

  private Checkpoint(Workspace workspace) {
    this.workspace = workspace;
  }

  /**
   * Writes the file.
   *
   * @param stateDict the model's tensors by name, in order
   * @param weights those that are quantized, by the same names
   * @param record the record of Kvant, asked for when all else is written
   * @return the names of the records that hold the codes
   */
  static Map<QuantizedWeight, String> write(
      Path file,
      Map<String, ? extends ModelTensor> stateDict,
      Map<String, PlannedWeight> weights,
      Supplier<byte[]> record,
      Workspace workspace) {
    var checkpoint = new Checkpoint(workspace);
    checkpoint.write(file, stateDict, weights, record);
    Map<QuantizedWeight, String> codes = new HashMap<>();
    checkpoint.parts.forEach((weight, parts) -> codes.put(weight, "data/" + parts.codes()));
    return codes;
  }

  private void write(
      Path file,
      Map<String, ? extends ModelTensor> stateDict,
      Map<String, PlannedWeight> weights,
      Supplier<byte[]> record) {
    List<ModelTensor> kept = new ArrayList<>();
    stateDict.forEach(
        (name, tensor) -> {
          if (!weights.containsKey(name)) {
            kept.add(tensor);
          }
        });
    var copied = new CopiedTensors(kept, records, workspace.block(), workspace::advance);
    PickleObject root = PickleObject.call(new PickleGlobal("collections", "OrderedDict"));
    stateDict.forEach(
        (name, tensor) -> {
          PlannedWeight weight = weights.get(name);
          root.entries()
              .put(
                  name,
                  weight == null
                      ? pickler.node(copied.take(name, tensor))
                      : node(weight.weight(), weight.quantizesInput(TorchaoBackend.CHECKPOINT)));
        });
    CheckpointWriter.write(file, ROOT, root, records, record);
  }

  /** How many bytes a weight has here. */
  static long bytes(QuantizedWeight weight) {
    int zeroPoint = weight.type() == WeightType.INT8 ? 1 : 0;
    return weight.weight().elements()
        + (long) weight.layout().channels() * (Float.BYTES + zeroPoint);
  }

  private PickleObject node(QuantizedWeight weight, boolean quantizesInput) {
    Parts stored = parts.computeIfAbsent(weight, this::announce);
    ElementType original = weight.weight().elementType();
    List<Long> shape = weight.layout().shape();
    return weight.type() == WeightType.INT8
        ? quantizedTensors.int8(
            original, shape, stored.codes(), stored.scales(), stored.zeroPoints(), quantizesInput)
        : quantizedTensors.float8(
            original, weight.type().elementType(), shape, stored.codes(), stored.scales());
  }

  private Parts announce(QuantizedWeight weight) {
    int channels = weight.layout().channels();
    String codes =
        records.add(weight.weight().elements(), target -> weight.writeCodes(target, workspace));
    String scales =
        records.add(
            (long) channels * Float.BYTES,
            target -> target.write(ByteBuffer.wrap(weight.scaleBytes())));
    String zeroPoints =
        weight.type() == WeightType.INT8
            ? records.add(channels, target -> target.write(ByteBuffer.allocate(channels)))
            : "";
    return new Parts(codes, scales, zeroPoints);
  }
}
