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
import java.util.regex.Pattern;
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

  /** An operator that changes its argument. */
  private static final Pattern CHANGING = Pattern.compile("\\.aten\\.\\w+_\\.");

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
      describe(argument, contiguous(weight.elementType(), weight.shape(), argument));
    }
  }

  /**
   * Replaces a weight by codes and scales, whose product the graph computes in float32 and rounds
   * to the type that the weight had: of the rows that a node looks up, or of the whole weight
   * before the first other node that reads it.
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
    describe(argument, contiguous(type, weight.shape(), argument));
    List<JsonObject> readers = readers(argument);
    if (readers.isEmpty()) {
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
    describe(scale, contiguous(ElementType.FLOAT32, scaleShape, argument));
    insertInput(argument, scale, scaleName);

    List<JsonObject> others = new ArrayList<>(readers);
    if (readers.stream().noneMatch(reader -> CHANGING.matcher(operator(reader)).find())) {
      for (JsonObject reader : readers) {
        if (looksUp(reader, argument)) {
          lookUp(reader, scale, type, weight.elementType());
          others.remove(reader);
        }
      }
    }
    if (!others.isEmpty()) {
      restore(others, argument, scale, weight);
    }
  }

  private String operator(JsonObject node) {
    return json.text(node, "target");
  }

  /** Whether a node looks rows of a matrix up, and reads it for nothing else. */
  private boolean looksUp(JsonObject node, String argument) {
    JsonArray inputs = json.array(node, "inputs");
    return operator(node).equals(ExportedGraph.LOOK_UP)
        && inputs.size() >= 2
        && ExportedGraph.tensor(inputs.get(0)).filter(argument::equals).isPresent()
        && ExportedGraph.tensor(inputs.get(1)).filter(indices -> values.has(indices)).isPresent()
        && !replaceReads(inputs.get(1), argument, argument)
        && json.array(node, "outputs").size() == 1
        && ExportedGraph.tensor(json.array(node, "outputs").get(0)).filter(values::has).isPresent();
  }

  /** Looks codes up and scales up, and restores the rows alone. */
  private void lookUp(JsonObject node, String scale, ElementType codes, ElementType original) {
    JsonArray inputs = json.array(node, "inputs");
    String indices = ExportedGraph.tensor(inputs.get(1)).orElseThrow();
    String result = ExportedGraph.tensor(json.array(node, "outputs").get(0)).orElseThrow();
    JsonObject like = json.object(values, result);
    String rows = unused(result + "_codes");
    describe(rows, ExportedTensors.withType(like, codes));
    String factors = unused(result + "_scales");
    describe(
        factors,
        ExportedTensors.withColumn(json, json.object(values, indices), ElementType.FLOAT32));
    List<JsonObject> before = new ArrayList<>();
    List<JsonObject> after = new ArrayList<>();
    List<JsonObject> ofScales = new ArrayList<>();
    for (JsonElement input : inputs) {
      ofScales.add(json.object(input, "an argument").deepCopy());
    }
    ofScales.get(0).add("arg", tensorArgument(scale));
    before.add(node(node, ExportedGraph.LOOK_UP, ofScales, factors));
    rename(node, rows);
    product(node, rows, factors, original, result, like, after);
    insertAround(node, before, after);
  }

  private void restore(
      List<JsonObject> readers, String argument, String scale, DenseTensor weight) {
    String restored = unused(argument + "_dequantized");
    List<JsonObject> nodes = new ArrayList<>();
    JsonObject like = contiguous(weight.elementType(), weight.shape(), argument);
    product(readers.get(0), argument, scale, weight.elementType(), restored, like, nodes);
    readers.forEach(reader -> replaceReads(reader.get("inputs"), argument, restored));
    insertAround(readers.get(0), nodes, List.of());
  }

  /** Nodes that convert codes, multiply them with scales and round the product. */
  private void product(
      JsonObject origin,
      String codes,
      String scales,
      ElementType type,
      String result,
      JsonObject like,
      List<JsonObject> nodes) {
    JsonObject single = ExportedTensors.withType(like, ElementType.FLOAT32);
    String converted = unused(codes + "_float32");
    describe(converted, single);
    nodes.add(cast(origin, codes, converted, ElementType.FLOAT32));
    boolean isRounded = !type.equals(ElementType.FLOAT32);
    String product = isRounded ? unused(codes + "_scaled") : result;
    describe(product, single.deepCopy());
    nodes.add(
        node(
            origin,
            ExportedGraph.PRODUCT,
            List.of(
                input("self", tensorArgument(converted), POSITIONAL),
                input("other", tensorArgument(scales), POSITIONAL)),
            product));
    if (isRounded) {
      describe(result, ExportedTensors.withType(like, type));
      nodes.add(cast(origin, product, result, type));
    }
  }

  private void rename(JsonObject node, String output) {
    var outputs = new JsonArray();
    outputs.add(tensorArgument(output));
    node.add("outputs", outputs);
    if (node.has("name")) {
      node.addProperty("name", output);
    }
  }

  private void insertAround(JsonObject node, List<JsonObject> before, List<JsonObject> after) {
    List<JsonElement> nodes = json.array(graph, "nodes").asList();
    for (int i = 0; i < nodes.size(); i++) {
      if (nodes.get(i) == node) {
        nodes.addAll(i + 1, after);
        nodes.addAll(i, before);
        return;
      }
    }
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

  /** The description of a contiguous tensor on the device of a value. */
  private JsonObject contiguous(ElementType type, List<Long> shape, String value) {
    return ExportedTensors.description(
        type, shape, json.object(values, value).get("device"), false);
  }

  private void describe(String value, JsonObject description) {
    values.add(value, description);
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

  private List<JsonObject> readers(String value) {
    List<JsonObject> readers = new ArrayList<>();
    for (JsonElement element : json.array(graph, "nodes")) {
      JsonObject node = json.object(element, "a node");
      if (replaceReads(node.get("inputs"), value, value)) {
        readers.add(node);
      }
    }
    return readers;
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
