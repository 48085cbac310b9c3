package dev.kvant.torch;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.api.ModelFormatException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the graph of a torch.export program tells of the model it was made from.
 *
 * @param classes the qualified class of each module that a node comes from, by its path
 * @param inputs the tensors that a caller passes
 * @param torchVersion the first two numbers of the version of torch, if it is told
 * @param restored by the name of a tensor that nodes convert and multiply with another one: what
 *     comes of it
 */
record ExportedGraph(
    Map<String, String> classes,
    List<InputDescription> inputs,
    Optional<String> torchVersion,
    Map<String, Restored> restored) {

  /** Makes a value of another type of a tensor. */
  static final String CAST = "torch.ops.aten._to_copy.default";

  /** Looks rows of a matrix up. */
  static final String LOOK_UP = "torch.ops.aten.embedding.default";

  /** Multiplies two tensors. */
  static final String PRODUCT = "torch.ops.aten.mul.Tensor";

  /**
   * A weight that nodes restore from codes.
   *
   * @param scales the name of the tensor with the scales
   * @param type the type of the weight, empty if it is not supported
   */
  record Restored(String scales, Optional<ElementType> type) {}

  private static final Pattern VERSION = Pattern.compile("(\\d{1,4}\\.\\d{1,4})\\b.*");

  /** The version of the format that is known; a later minor one adds entries. */
  private static final long SCHEMA = 8;

  static final String STACK = "nn_module_stack";

  /** What is added to the path of a module that is called again. */
  private static final Pattern CALL = Pattern.compile("@\\d+$");

  /** A key, a path and a class; one with more commas, as of a slice of a list, is passed over. */
  private static final Pattern CALLED =
      Pattern.compile("(?:^|;)[^,;]*,(?<path>[^,;]*),(?<class>[\\w.$<>]+)(?=;|$)");

  /**
   * That of a program.
   *
   * @throws ModelFormatException if it is damaged or of another version of the format
   */
  static ExportedGraph of(JsonObject program, ExportedJson json) {
    long major = json.number(json.object(program, "schema_version"), "major");
    if (major != SCHEMA) {
      throw new ModelFormatException(
          "%s has version %d of the format of torch.export, and Kvant knows version %d; export the model with torch 2.15, or save its state dict with torch.save"
              .formatted(json.record(), major, SCHEMA));
    }
    JsonObject module = json.object(program, "graph_module");
    JsonObject graph = json.object(module, "graph");
    return new ExportedGraph(
        classes(json, graph),
        inputs(json, module, graph),
        ExportedJson.find(program, "torch_version")
            .map(VERSION::matcher)
            .filter(Matcher::matches)
            .map(version -> version.group(1)),
        restored(json, module, graph));
  }

  private static Map<String, String> classes(ExportedJson json, JsonObject graph) {
    Map<String, String> classes = new LinkedHashMap<>();
    for (JsonElement element : json.array(graph, "nodes")) {
      JsonObject node = json.object(element, "a node");
      Optional<String> stack = ExportedJson.find(json.object(node, "metadata"), STACK);
      if (stack.isPresent()) {
        Matcher called = CALLED.matcher(stack.get());
        while (called.find()) {
          classes.putIfAbsent(
              CALL.matcher(called.group("path")).replaceFirst(""), called.group("class"));
        }
      }
    }
    return classes;
  }

  private static List<InputDescription> inputs(
      ExportedJson json, JsonObject module, JsonObject graph) {
    JsonObject values = json.object(graph, "tensor_values");
    List<InputDescription> inputs = new ArrayList<>();
    for (JsonElement element : json.array(json.object(module, "signature"), "input_specs")) {
      JsonObject spec = json.object(element, "an input");
      if (json.kind(spec).equals("user_input")) {
        JsonObject argument = json.object(json.object(spec, "user_input"), "arg");
        if (json.kind(argument).equals("as_tensor")) {
          String name = json.text(json.object(argument, "as_tensor"), "name");
          inputs.add(ExportedTensors.input(json, name, json.object(values, name)));
        }
      }
    }
    return inputs;
  }

  private static Map<String, Restored> restored(
      ExportedJson json, JsonObject module, JsonObject graph) {
    Map<String, String> tensors = new HashMap<>();
    for (JsonElement element : json.array(json.object(module, "signature"), "input_specs")) {
      JsonObject spec = json.object(element, "an input");
      if (json.kind(spec).equals("parameter")) {
        JsonObject parameter = json.object(spec, "parameter");
        tensors.put(
            json.text(json.object(parameter, "arg"), "name"),
            json.text(parameter, "parameter_name"));
      }
    }
    JsonObject values = json.object(graph, "tensor_values");
    Map<String, String> converted = new HashMap<>();
    Map<String, String> products = new HashMap<>();
    Map<String, Restored> restored = new HashMap<>();
    for (JsonElement element : json.array(graph, "nodes")) {
      JsonObject node = json.object(element, "a node");
      String operator = ExportedJson.find(node, "target").orElse("");
      if (!operator.equals(CAST) && !operator.equals(PRODUCT) && !operator.equals(LOOK_UP)) {
        continue;
      }
      List<String> read = tensors(node.get("inputs"));
      List<String> made = tensors(node.get("outputs"));
      if (read.isEmpty() || made.size() != 1 || !values.has(made.get(0))) {
        continue;
      }
      String source = read.get(0);
      Optional<ElementType> type = ExportedTensors.type(json, json.object(values, made.get(0)));
      if (operator.equals(LOOK_UP)) {
        // Rows of codes and rows of scales are restored as the whole is.
        if (tensors.containsKey(source)) {
          tensors.put(made.get(0), tensors.get(source));
        }
      } else if (operator.equals(CAST) && tensors.containsKey(source)) {
        converted.put(made.get(0), tensors.get(source));
      } else if (operator.equals(PRODUCT)
          && read.size() == 2
          && converted.containsKey(source)
          && tensors.containsKey(read.get(1))) {
        products.put(made.get(0), converted.get(source));
        restored.put(converted.get(source), new Restored(tensors.get(read.get(1)), type));
      } else if (operator.equals(CAST) && products.containsKey(source)) {
        restored.computeIfPresent(
            products.get(source), (name, known) -> new Restored(known.scales(), type));
      }
    }
    return restored;
  }

  /** The values that arguments are, of those that are tensors. */
  private static List<String> tensors(@Nullable JsonElement arguments) {
    List<String> names = new ArrayList<>();
    if (arguments instanceof JsonArray array) {
      for (JsonElement element : array) {
        tensor(element).ifPresent(names::add);
      }
    }
    return names;
  }

  /** The value that an argument or a result is, if it is a tensor. */
  static Optional<String> tensor(JsonElement element) {
    return element instanceof JsonObject argument
            && (argument.get("arg") instanceof JsonObject inner ? inner : argument).get("as_tensor")
                instanceof JsonObject tensor
        ? ExportedJson.find(tensor, "name")
        : Optional.empty();
  }

  /** The simple name of a module's class. */
  Optional<String> type(String module) {
    return Optional.ofNullable(classes.get(module))
        .map(name -> name.substring(name.lastIndexOf('.') + 1));
  }
}
