package dev.kvant.torch;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Printable;
import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.QuantizedType;
import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.tensor.ChannelLayout;
import dev.kvant.torch.tensor.DenseTensor;
import dev.kvant.torch.tensor.QuantizedTensor;
import dev.kvant.torch.tensor.StoredTensor;
import dev.kvant.torch.tensor.TensorStorage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The state dict of a torch.export program: a JSON record describes the tensors, each of which is a
 * view of a record with the bytes of its storage.
 *
 * @param tensors the tensors by name
 * @param opaque the names of those that are pickled, not strided, or of an unsupported type
 */
record ExportedTensors(Map<String, DenseTensor> tensors, List<String> opaque) {

  /** The folder of the records. */
  static final String WEIGHTS = "data/weights/";

  private static final long STRIDED = 7;

  /** The numbers that the format gives to the element types. */
  private static final Map<Long, ElementType> TYPES =
      Map.ofEntries(
          Map.entry(1L, ElementType.UINT8),
          Map.entry(2L, ElementType.INT8),
          Map.entry(3L, ElementType.INT16),
          Map.entry(4L, ElementType.INT32),
          Map.entry(5L, ElementType.INT64),
          Map.entry(6L, ElementType.FLOAT16),
          Map.entry(7L, ElementType.FLOAT32),
          Map.entry(8L, ElementType.FLOAT64),
          Map.entry(12L, ElementType.BOOL),
          Map.entry(13L, ElementType.BFLOAT16),
          Map.entry(28L, ElementType.UINT16),
          Map.entry(29L, ElementType.FLOAT8_E4M3FN),
          Map.entry(30L, ElementType.FLOAT8_E5M2),
          Map.entry(34L, ElementType.UINT32),
          Map.entry(35L, ElementType.UINT64));

  /** The record that describes the weights of a program. */
  static String description(String program) {
    return "%s%s_weights_config.json".formatted(WEIGHTS, program);
  }

  /**
   * Those of a program.
   *
   * @throws dev.kvant.api.ModelFormatException if one is outside of its record
   */
  static ExportedTensors read(TorchArchive archive, String program) {
    var record = archive.record(description(program));
    var json = new ExportedJson(record.toString());
    JsonObject entries = json.object(ExportedJson.read(record), "config");
    Map<String, DenseTensor> tensors = new LinkedHashMap<>();
    List<String> opaque = new ArrayList<>();
    Map<String, TensorStorage> storages = new LinkedHashMap<>();
    for (Map.Entry<String, JsonElement> entry : entries.entrySet()) {
      String name = entry.getKey();
      JsonObject payload = json.object(entry.getValue(), "a weight");
      if (json.flag(payload, "use_pickle")) {
        opaque.add(name);
        continue;
      }
      JsonObject meta = json.object(payload, "tensor_meta");
      ElementType type = TYPES.get(json.number(meta, "dtype"));
      if (type == null || json.number(meta, "layout") != STRIDED) {
        opaque.add(name);
        continue;
      }
      TensorStorage storage =
          storages.computeIfAbsent(
              json.text(payload, "path_name"),
              path -> new TensorStorage(WEIGHTS + path, archive.record(WEIGHTS + path)));
      tensors.put(
          name,
          DenseTensor.of(
              "tensor '%s' of %s".formatted(Printable.shortened(name), archive.path()),
              type,
              integers(json, meta, "sizes"),
              integers(json, meta, "strides"),
              integer(json, json.object(meta, "storage_offset")),
              storage));
    }
    return new ExportedTensors(tensors, opaque);
  }

  private static List<Long> integers(ExportedJson json, JsonObject parent, String name) {
    List<Long> values = new ArrayList<>();
    for (JsonElement element : json.array(parent, name)) {
      values.add(integer(json, json.object(element, "an extent")));
    }
    return values;
  }

  private static long integer(ExportedJson json, JsonObject union) {
    return json.number(union, "as_int");
  }

  /** The type of a value, by its description in a graph; empty if it is not supported. */
  static Optional<ElementType> type(ExportedJson json, JsonObject meta) {
    return Optional.ofNullable(TYPES.get(json.number(meta, "dtype")));
  }

  /**
   * The state dict with the weights that nodes of the graph restore from codes, which are read as
   * what they stand for.
   */
  Map<String, StoredTensor> restored(Path path, Map<String, ExportedGraph.Restored> restored) {
    Map<String, QuantizedTensor> byCodes = new HashMap<>();
    Set<String> scales = new HashSet<>();
    restored.forEach(
        (name, weight) ->
            quantized(path, name, weight)
                .ifPresent(
                    tensor -> {
                      byCodes.put(tensor.codes().identity(), tensor);
                      scales.add(weight.scales());
                    }));
    Map<String, StoredTensor> all = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) -> {
          if (!scales.contains(name)) {
            QuantizedTensor quantized = byCodes.get(tensor.identity());
            all.put(name, quantized == null ? tensor : quantized);
          }
        });
    return all;
  }

  private Optional<QuantizedTensor> quantized(
      Path path, String name, ExportedGraph.Restored restored) {
    DenseTensor codes = tensors.get(name);
    DenseTensor scales = tensors.get(restored.scales());
    if (codes == null
        || scales == null
        || restored.type().flatMap(type -> FloatType.find(type.label())).isEmpty()
        || QuantizedType.find(codes.elementType().label()).isEmpty()
        || codes.shape().isEmpty()
        || codes.elements() == 0
        || !scales.elementType().equals(ElementType.FLOAT32)
        || !scales.shape().equals(ChannelLayout.of(codes.shape(), 0).scaleShape())) {
      return Optional.empty();
    }
    return Optional.of(
        QuantizedTensor.of(
            "tensor '%s' of %s".formatted(Printable.shortened(name), path),
            codes,
            scales,
            restored.type().get()));
  }

  /** What an input is like, by its description in a graph. */
  static InputDescription input(ExportedJson json, String name, JsonObject meta) {
    List<Long> shape = new ArrayList<>();
    for (JsonElement element : json.array(meta, "sizes")) {
      JsonObject size = json.object(element, "an extent");
      shape.add(
          json.kind(size).equals("as_int") ? json.number(size, "as_int") : InputDescription.FREE);
    }
    return new InputDescription(name, TYPES.get(json.number(meta, "dtype")), shape, false);
  }

  /**
   * The number that the format gives to a type.
   *
   * @throws IllegalArgumentException if it has none
   */
  static long number(ElementType type) {
    return TYPES.entrySet().stream()
        .filter(entry -> entry.getValue().equals(type))
        .mapToLong(Map.Entry::getKey)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("torch.export has no type " + type));
  }

  /** How a graph and a state dict describe a contiguous tensor on the device of another. */
  static JsonObject description(
      ElementType type, List<Long> shape, JsonElement device, boolean requiresGrad) {
    var meta = new JsonObject();
    meta.addProperty("dtype", number(type));
    meta.add("sizes", extents(shape));
    meta.addProperty("requires_grad", requiresGrad);
    meta.add("device", device);
    meta.add("strides", extents(DenseTensor.rowMajor(shape)));
    meta.add("storage_offset", extent(0));
    meta.addProperty("layout", STRIDED);
    return meta;
  }

  /** The description of a tensor of another type, otherwise alike. */
  static JsonObject withType(JsonObject description, ElementType type) {
    JsonObject changed = description.deepCopy();
    changed.addProperty("dtype", number(type));
    return changed;
  }

  /** The description of a tensor with one more dimension of one element, of another type. */
  static JsonObject withColumn(ExportedJson json, JsonObject description, ElementType type) {
    JsonObject changed = withType(description, type);
    json.array(changed, "sizes").add(extent(1));
    json.array(changed, "strides").add(extent(1));
    return changed;
  }

  private static JsonArray extents(List<Long> values) {
    var array = new JsonArray();
    values.forEach(value -> array.add(extent(value)));
    return array;
  }

  private static JsonObject extent(long value) {
    var extent = new JsonObject();
    extent.addProperty("as_int", value);
    return extent;
  }
}
