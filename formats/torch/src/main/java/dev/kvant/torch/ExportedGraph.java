package dev.kvant.torch;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.kvant.api.InputDescription;
import dev.kvant.api.ModelFormatException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the graph of a torch.export program tells of the model it was made from.
 *
 * @param classes the qualified class of each module that a node comes from, by its path
 * @param inputs the tensors that a caller passes
 */
record ExportedGraph(Map<String, String> classes, List<InputDescription> inputs) {

  /** The version of the format that is known; a later minor one adds entries. */
  private static final long SCHEMA = 8;

  private static final String STACK = "nn_module_stack";

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
    return new ExportedGraph(classes(json, graph), inputs(json, module, graph));
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

  /** The simple name of a module's class. */
  Optional<String> type(String module) {
    return Optional.ofNullable(classes.get(module))
        .map(name -> name.substring(name.lastIndexOf('.') + 1));
  }
}
