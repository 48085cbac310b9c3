package dev.kvant.torch;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.kvant.api.ElementType;
import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.torch.archive.ArchiveRecord;
import dev.kvant.torch.archive.ArchiveWriter;
import dev.kvant.torch.archive.RecordContent;
import dev.kvant.torch.tensor.CopyProgress;
import dev.kvant.torch.tensor.DenseTensor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Rewrites a torch.export program into another file: weights become codes and scales, and nodes
 * before the first reader of a weight restore it. The signature of the program for its caller stays
 * as it is, and so does everything else; records that nothing refers to are omitted.
 *
 * @since 0.1.0
 */
public final class ExportedRewriter {

  private static final String RECORD = "weight_";

  /** How the format marks arguments that are passed by position and by name. */
  private static final int POSITIONAL = 1;

  private static final int KEYWORD = 2;

  /** Numbers and texts as they were read. */
  private static final Gson JSON =
      new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

  /** A record that is written with the archive. */
  private record Added(String name, long bytes, RecordContent content) {}

  private final ExportedModel model;
  private final JsonObject program;
  private final JsonObject weights;
  private final ExportedJson json;
  private final JsonObject graph;
  private final JsonObject signature;
  private final JsonObject values;
  private final Set<String> names = new HashSet<>();
  private final List<Added> added = new ArrayList<>();
  private int next;

  /** A rewriter of a model, which stays unchanged and must stay open. */
  public ExportedRewriter(ExportedModel model) {
    this.model = model;
    ArchiveRecord record = model.archive().record(ExportedModel.record(model.program()));
    this.json = new ExportedJson(record.toString());
    this.program = ExportedJson.read(record);
    this.weights =
        ExportedJson.read(model.archive().record(ExportedTensors.description(model.program())));
    JsonObject module = json.object(program, "graph_module");
    this.graph = json.object(module, "graph");
    this.signature = json.object(module, "signature");
    this.values = json.object(graph, "tensor_values");
    names.addAll(values.keySet());
    for (JsonElement node : json.array(graph, "nodes")) {
      names(node, names);
    }
  }

  /** Everything that is called a name, which new names must differ from. */
  private static void names(JsonElement element, Set<String> names) {
    if (element instanceof JsonArray array) {
      array.forEach(item -> names(item, names));
    } else if (element instanceof JsonObject object) {
      ExportedJson.find(object, "name").ifPresent(names::add);
      object.asMap().values().forEach(value -> names(value, names));
    }
  }

  /**
   * Announces a record with the bytes of a storage and returns its name.
   *
   * @param bytes its size in bytes
   * @param content writes the bytes later, when the archive is written
   */
  public String add(long bytes, RecordContent content) {
    while (model.archive().find(ExportedTensors.WEIGHTS + RECORD + next).isPresent()) {
      next++;
    }
    String name = RECORD + next++;
    added.add(new Added(ExportedTensors.WEIGHTS + name, bytes, content));
    return name;
  }

  /** Why a weight cannot become codes; empty if it can. */
  public Optional<String> obstacle(String tensor) {
    String argument = argument(tensor);
    for (JsonElement output : json.array(signature, "output_specs")) {
      if (refersTo(output, tensor) || (argument != null && refersTo(output, argument))) {
        return Optional.of("the program returns or changes it");
      }
    }
    return Optional.empty();
  }

  private static boolean refersTo(JsonElement element, String text) {
    if (element instanceof JsonPrimitive value) {
      return value.isString() && value.getAsString().equals(text);
    }
    if (element instanceof JsonArray array) {
      return array.asList().stream().anyMatch(item -> refersTo(item, text));
    }
    return element instanceof JsonObject object
        && object.asMap().values().stream().anyMatch(value -> refersTo(value, text));
  }

  /**
   * Gives a weight another content of its type and shape.
   *
   * @param tensor its name in the state dict
   * @param record the record with its elements in row-major order
   */
  public void replace(String tensor, String record) {
    DenseTensor weight = weight(tensor);
    store(tensor, record, weight.elementType(), weight.shape());
    String argument = argument(tensor);
    if (argument != null) {
      describe(argument, weight.elementType(), weight.shape());
    }
  }

  /**
   * Replaces a weight by codes and scales, whose product the graph computes in float32 and rounds
   * to the type that the weight had.
   *
   * @param tensor its name in the state dict
   * @param type the type of the codes
   * @param codes the record with the codes in row-major order
   * @param scales the record with the scales, float32
   * @param scaleShape the dimensions of the scales, as many as the weight has
   */
  public void dequantize(
      String tensor, ElementType type, String codes, String scales, List<Long> scaleShape) {
    DenseTensor weight = weight(tensor);
    store(tensor, codes, type, weight.shape());
    String argument = argument(tensor);
    if (argument == null) {
      return;
    }
    describe(argument, type, weight.shape());
    int reader = firstReader(argument);
    if (reader < 0) {
      return;
    }
    String scale = unused(argument + "_scale");
    String scaleName = tensor + "_scale";
    while (entries().has(scaleName)) {
      scaleName += "_";
    }
    JsonObject entry = json.object(entries(), tensor).deepCopy();
    entry.addProperty("is_param", true);
    entries().add(scaleName, entry);
    store(scaleName, scales, ElementType.FLOAT32, scaleShape);
    describe(scale, ElementType.FLOAT32, scaleShape, device(argument));
    insertInput(argument, scale, scaleName);

    String converted = unused(argument + "_float32");
    String product = unused(argument + "_dequantized");
    List<JsonObject> nodes = new ArrayList<>();
    JsonObject model = json.object(json.array(graph, "nodes").get(reader), "a node");
    nodes.add(cast(model, argument, converted, ElementType.FLOAT32));
    nodes.add(
        node(
            model,
            ExportedGraph.PRODUCT,
            List.of(
                input("self", tensorArgument(converted), POSITIONAL),
                input("other", tensorArgument(scale), POSITIONAL)),
            product));
    describe(converted, ElementType.FLOAT32, weight.shape(), device(argument));
    describe(product, ElementType.FLOAT32, weight.shape(), device(argument));
    String restored = product;
    if (!weight.elementType().equals(ElementType.FLOAT32)) {
      restored = unused(argument + "_restored");
      nodes.add(cast(model, product, restored, weight.elementType()));
      describe(restored, weight.elementType(), weight.shape(), device(argument));
    }
    insert(reader, nodes, argument, restored);
  }

  private DenseTensor weight(String tensor) {
    if (model.tensors().get(tensor) instanceof DenseTensor weight) {
      return weight;
    }
    throw new IllegalArgumentException("tensor: there is no weight '%s'".formatted(tensor));
  }

  private JsonObject entries() {
    return json.object(weights, "config");
  }

  /** The value of the graph that a tensor of the state dict is passed as; null if none is. */
  private @Nullable String argument(String tensor) {
    for (JsonElement element : json.array(signature, "input_specs")) {
      JsonObject spec = json.object(element, "an input");
      String kind = json.kind(spec);
      if (kind.equals("parameter") || kind.equals("buffer")) {
        JsonObject passed = json.object(spec, kind);
        if (json.text(passed, kind + "_name").equals(tensor)) {
          return json.text(json.object(passed, "arg"), "name");
        }
      }
    }
    return null;
  }

  private void store(String tensor, String record, ElementType type, List<Long> shape) {
    JsonObject entry = json.object(entries(), tensor);
    entry.addProperty("path_name", record);
    JsonElement device = json.object(entry, "tensor_meta").get("device");
    entry.add("tensor_meta", ExportedTensors.description(type, shape, device, false));
  }

  private JsonElement device(String value) {
    return json.object(values, value).get("device");
  }

  private void describe(String value, ElementType type, List<Long> shape) {
    describe(value, type, shape, device(value));
  }

  private void describe(String value, ElementType type, List<Long> shape, JsonElement device) {
    values.add(value, ExportedTensors.description(type, shape, device, false));
  }

  private String unused(String wanted) {
    String name = wanted;
    for (int i = 1; !names.add(name); i++) {
      name = wanted + "_" + i;
    }
    return name;
  }

  /** Adds a parameter behind another one, in the graph and in its signature. */
  private void insertInput(String after, String value, String tensor) {
    JsonArray inputs = json.array(graph, "inputs");
    JsonArray specs = json.array(signature, "input_specs");
    var passed = new JsonObject();
    passed.add("arg", named(value));
    passed.addProperty("parameter_name", tensor);
    for (int i = 0; i < inputs.size(); i++) {
      if (refersTo(inputs.get(i), after)) {
        insert(inputs, i + 1, List.of(tensorArgument(value)));
        insert(specs, i + 1, List.of(union("parameter", passed)));
        return;
      }
    }
    throw json.damaged("its graph has no input '%s'".formatted(after));
  }

  private static void insert(JsonArray array, int at, List<? extends JsonElement> elements) {
    array.asList().addAll(at, elements);
  }

  private int firstReader(String value) {
    JsonArray nodes = json.array(graph, "nodes");
    for (int i = 0; i < nodes.size(); i++) {
      if (replaceReads(json.object(nodes.get(i), "a node").get("inputs"), value, value)) {
        return i;
      }
    }
    return -1;
  }

  private void insert(int at, List<JsonObject> inserted, String value, String restored) {
    JsonArray nodes = json.array(graph, "nodes");
    for (JsonElement node : nodes) {
      replaceReads(json.object(node, "a node").get("inputs"), value, restored);
    }
    insert(nodes, at, inserted);
  }

  /**
   * Makes the arguments of a node read another value, but not those of a graph within the node,
   * which has values of its own.
   *
   * @return whether there was one
   */
  private static boolean replaceReads(@Nullable JsonElement element, String from, String to) {
    boolean reads = false;
    if (element instanceof JsonArray array) {
      for (JsonElement item : array) {
        reads |= replaceReads(item, from, to);
      }
    } else if (element instanceof JsonObject object) {
      for (String key : List.copyOf(object.keySet())) {
        JsonElement value = object.get(key);
        if (key.startsWith("as_") && key.contains("tensor")) {
          reads |= replaceNames(value, from, to);
        } else if (!key.equals("as_graph")) {
          reads |= replaceReads(value, from, to);
        }
      }
    }
    return reads;
  }

  private static boolean replaceNames(JsonElement element, String from, String to) {
    boolean reads = false;
    if (element instanceof JsonArray array) {
      for (JsonElement item : array) {
        reads |= replaceNames(item, from, to);
      }
    } else if (element instanceof JsonObject object) {
      if (ExportedJson.find(object, "name").filter(from::equals).isPresent()) {
        object.addProperty("name", to);
        return true;
      }
      for (JsonElement value : object.asMap().values()) {
        reads |= replaceNames(value, from, to);
      }
    }
    return reads;
  }

  private JsonObject cast(JsonObject like, String from, String to, ElementType type) {
    return node(
        like,
        ExportedGraph.CAST,
        List.of(
            input("self", tensorArgument(from), POSITIONAL),
            input(
                "dtype",
                union("as_scalar_type", new JsonPrimitive(ExportedTensors.number(type))),
                KEYWORD)),
        to);
  }

  /** A node of the module of another one, with the entries that this version of the format has. */
  private JsonObject node(
      JsonObject like, String operator, List<JsonObject> inputs, String output) {
    var node = new JsonObject();
    for (String key : like.keySet()) {
      node.add(key, JsonNull.INSTANCE);
    }
    node.addProperty("target", operator);
    var arguments = new JsonArray();
    inputs.forEach(arguments::add);
    node.add("inputs", arguments);
    var outputs = new JsonArray();
    outputs.add(tensorArgument(output));
    node.add("outputs", outputs);
    var metadata = new JsonObject();
    ExportedJson.find(json.object(like, "metadata"), ExportedGraph.STACK)
        .ifPresent(stack -> metadata.addProperty(ExportedGraph.STACK, stack));
    node.add("metadata", metadata);
    if (like.has("name")) {
      node.addProperty("name", output);
    }
    return node;
  }

  private static JsonObject input(String name, JsonObject argument, int kind) {
    var input = new JsonObject();
    input.addProperty("name", name);
    input.add("arg", argument);
    input.addProperty("kind", kind);
    return input;
  }

  private static JsonObject tensorArgument(String value) {
    return union("as_tensor", named(value));
  }

  private static JsonObject named(String value) {
    var named = new JsonObject();
    named.addProperty("name", value);
    return named;
  }

  private static JsonObject union(String kind, JsonElement value) {
    var union = new JsonObject();
    union.add(kind, value);
    return union;
  }

  /**
   * Writes the archive with all changes.
   *
   * @param file the file, which is overwritten
   * @param root the folder within the archive, usually the file's name without its extension
   * @param record what Kvant puts into a record of its own; asked for when all else is written
   * @param progress receives every copied record
   * @throws QuantizationCancelledException if the thread was interrupted
   * @throws KvantException if the file cannot be written
   */
  public void write(Path file, String root, Supplier<byte[]> record, CopyProgress progress) {
    String description = ExportedTensors.description(model.program());
    Set<String> referenced = new LinkedHashSet<>();
    for (JsonElement entry : entries().asMap().values()) {
      referenced.add(
          ExportedTensors.WEIGHTS + json.text(json.object(entry, "a weight"), "path_name"));
    }
    try (var archive = ArchiveWriter.create(file, root)) {
      for (ArchiveRecord each : model.archive().records()) {
        String name = each.name();
        if (name.equals(description)) {
          for (Added weight : added) {
            archive.record(weight.name(), weight.bytes(), weight.content());
          }
          archive.record(name, bytes(weights));
        } else if (name.equals(ExportedModel.record(model.program()))) {
          archive.record(name, bytes(program));
        } else if (!name.startsWith(ExportedTensors.WEIGHTS)
            ? !name.equals(KvantRecord.NAME) && !name.equals(".data/serialization_id")
            : referenced.contains(name)) {
          archive.copy(each);
          progress.advance(name.startsWith(ExportedTensors.WEIGHTS) ? each.size() : 0, name);
        }
      }
      KvantRecord.write(record.get(), archive);
      archive.finish();
    }
  }

  private static byte[] bytes(JsonObject object) {
    return JSON.toJson(object).getBytes(StandardCharsets.UTF_8);
  }
}
