package dev.kvant.backend.torchao;

import dev.kvant.api.ElementType;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.torch.PlanJson;
import dev.kvant.torch.archive.ArchiveWriter;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleWriter;
import dev.kvant.torch.tensor.StoredTensor;
import dev.kvant.torch.tensor.TensorPickler;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32;

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
   */
  static void write(
      Path file,
      Map<String, StoredTensor> stateDict,
      Map<String, QuantizedWeight> weights,
      QuantizationPlan plan,
      Workspace workspace) {
    new Checkpoint(workspace).write(file, stateDict, weights, plan);
  }

  private void write(
      Path file,
      Map<String, StoredTensor> stateDict,
      Map<String, QuantizedWeight> weights,
      QuantizationPlan plan) {
    List<StoredTensor> kept = new ArrayList<>();
    stateDict.forEach(
        (name, tensor) -> {
          if (!weights.containsKey(name)) {
            kept.add(tensor);
          }
        });
    var nativeTensors = new NativeTensors(kept, records, workspace);
    PickleObject root = PickleObject.call(new PickleGlobal("collections", "OrderedDict"));
    stateDict.forEach(
        (name, tensor) -> {
          QuantizedWeight weight = weights.get(name);
          root.entries()
              .put(
                  name,
                  weight == null ? pickler.node(nativeTensors.take(name, tensor)) : node(weight));
        });
    byte[] pickle = PickleWriter.write(root);
    try (var archive = ArchiveWriter.create(file, ROOT)) {
      archive.record("data.pkl", pickle);
      archive.record(".format_version", ascii("1"));
      archive.record(".storage_alignment", ascii(String.valueOf(ArchiveWriter.ALIGNMENT)));
      archive.record("byteorder", ascii("little"));
      records.write(archive);
      archive.record("version", ascii("3\n"));
      archive.record(".data/serialization_id", ascii(serializationId(pickle)));
      archive.record(PlanJson.RECORD, PlanJson.write(plan));
      archive.finish();
    }
  }

  /** How many bytes a weight has here. */
  static long bytes(QuantizedWeight weight) {
    int zeroPoint = weight.type() == WeightType.INT8 ? 1 : 0;
    return weight.weight().elements()
        + (long) weight.layout().channels() * (Float.BYTES + zeroPoint);
  }

  private PickleObject node(QuantizedWeight weight) {
    Parts stored = parts.computeIfAbsent(weight, this::announce);
    ElementType original = weight.weight().elementType();
    List<Long> shape = weight.layout().shape();
    return weight.type() == WeightType.INT8
        ? quantizedTensors.int8(
            original, shape, stored.codes(), stored.scales(), stored.zeroPoints())
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

  /** Tells archives apart, as torch's does: 40 digits that depend on what is in them. */
  private static String serializationId(byte[] pickle) {
    var crc = new CRC32();
    crc.update(pickle);
    return "%040d".formatted(crc.getValue());
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
