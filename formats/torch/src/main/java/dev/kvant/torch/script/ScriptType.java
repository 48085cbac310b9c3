package dev.kvant.torch.script;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A class of an archive, with what is to be added to it.
 *
 * <p>A class is shared by all its instances; they differ in the values of attributes, which the
 * archive's pickle holds.
 *
 * @since 0.1.0
 */
public final class ScriptType {

  private static final String INDENT = "  ";

  private final String name;
  private final Map<String, String> attributes;
  private final List<String> buffers;
  private final Set<String> constants;
  private final List<ScriptFunction> methods;
  private final Layout layout;
  private final Set<String> names = new LinkedHashSet<>();
  private final List<String> newBuffers = new ArrayList<>();
  private final List<String> newAttributes = new ArrayList<>();
  private final List<String> newMethods = new ArrayList<>();
  private final Map<Integer, List<String>> newLines = new LinkedHashMap<>();
  private final Map<Expression, String> wrappedResults = new LinkedHashMap<>();

  /**
   * Positions in the file.
   *
   * @param buffersStart where the list of buffers begins
   * @param buffersEnd where it ends; the same when there is none
   * @param attributesEnd where the last attribute's line ends
   * @param end where the class ends
   */
  record Layout(int buffersStart, int buffersEnd, int attributesEnd, int end) {}

  ScriptType(
      String name,
      Map<String, String> attributes,
      List<String> buffers,
      Set<String> constants,
      List<ScriptFunction> methods,
      Layout layout) {
    this.name = name;
    this.attributes = Collections.unmodifiableMap(new LinkedHashMap<>(attributes));
    this.buffers = List.copyOf(buffers);
    this.constants = Set.copyOf(constants);
    this.methods = List.copyOf(methods);
    this.layout = layout;
    names.addAll(attributes.keySet());
    names.addAll(constants);
    methods.forEach(method -> names.add(simple(method.name())));
  }

  /** The class as the file has it, for other additions. */
  ScriptType unchanged() {
    return new ScriptType(name, attributes, buffers, constants, methods, layout);
  }

  /** The qualified name, as in {@code __torch__.torch.nn.modules.linear.Linear}. */
  public String name() {
    return name;
  }

  /** The types of the attributes by name, as the file has them. */
  public Map<String, String> attributes() {
    return attributes;
  }

  /** The names of the methods, as the file has them. */
  public List<String> methods() {
    return methods.stream().map(method -> simple(method.name())).toList();
  }

  /**
   * The parameters of a method, without the module itself, in order; empty if the class has no such
   * method.
   */
  public Optional<List<ScriptParameter>> parameters(String method) {
    return function(method)
        .map(ScriptFunction::parameters)
        .map(all -> all.stream().filter(parameter -> !parameter.type().equals(name)).toList());
  }

  /** What a method calls the module itself, by habit {@code self}. */
  public String self(String method) {
    return function(method)
        .flatMap(
            function ->
                function.parameters().stream()
                    .filter(parameter -> parameter.type().equals(name))
                    .findFirst())
        .map(ScriptParameter::name)
        .orElse("self");
  }

  /** The calls that a method makes, outer ones first; empty if the class has no such method. */
  public List<ScriptCall> calls(String method) {
    return function(method).map(ScriptFunction::calls).orElse(List.of());
  }

  /** The type of a method's result; the empty string if the class has no such method. */
  public String resultType(String method) {
    return function(method).map(ScriptFunction::result).orElse("");
  }

  /**
   * Gives what a method returns to a function first, wherever it returns.
   *
   * @param method the name of a method that the file has
   * @param function a function of one argument, as in {@code torch.contiguous}
   */
  public void wrapResults(String method, String function) {
    function(method).stream()
        .flatMap(found -> found.body().stream())
        .filter(statement -> statement.line().startsWith("return"))
        .filter(statement -> statement.values().size() == 1)
        .forEach(statement -> wrappedResults.put(statement.values().get(0), function));
  }

  private Optional<ScriptFunction> function(String method) {
    return methods.stream()
        .filter(candidate -> simple(candidate.name()).equals(method))
        .findFirst();
  }

  List<ScriptFunction> functions() {
    return methods;
  }

  /**
   * A name for a new attribute or method: the one that is wished, or one like it if it is taken.
   */
  public String unusedName(String wish) {
    String candidate = wish;
    for (int i = 2; names.contains(candidate); i++) {
      candidate = wish + "_" + i;
    }
    return candidate;
  }

  /**
   * Adds an attribute, which every instance must then have in the archive's pickle.
   *
   * @throws IllegalArgumentException if there is one of that name
   */
  public void addAttribute(String attribute, String type) {
    claim(attribute);
    newAttributes.add(INDENT + attribute + " : " + type + "\n");
  }

  /**
   * Adds an attribute that is moved between devices with the module.
   *
   * @param buffer its name
   * @param type {@code Tensor} or {@code Optional[Tensor]}
   * @throws IllegalArgumentException if there is one of that name
   */
  public void addBuffer(String buffer, String type) {
    addAttribute(buffer, type);
    newBuffers.add(buffer);
  }

  /**
   * Adds a method.
   *
   * @param method its name
   * @param parameters what comes behind {@code self}, as in {@code input: Tensor}; may be empty
   * @param result the type of its result
   * @param body its lines, indented from the first column on
   * @throws IllegalArgumentException if there is one of that name
   */
  public void addMethod(String method, String parameters, String result, String body) {
    claim(method);
    String head =
        "def %s(self: %s%s) -> %s:"
            .formatted(method, name, parameters.isEmpty() ? "" : ", " + parameters, result);
    newMethods.add(
        INDENT
            + head
            + "\n"
            + body.lines()
                .map(line -> INDENT + INDENT + line + "\n")
                .collect(Collectors.joining()));
  }

  /**
   * Puts a line before the first of a method, behind those that were put there before.
   *
   * @param method the name of a method that the file has
   * @param line the line, without indentation
   * @throws IllegalArgumentException if there is no such method
   */
  public void insertFirst(String method, String line) {
    int start =
        function(method)
            .map(function -> function.body().get(0).line().start())
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "%s has no method '%s', but %s".formatted(name, method, methods())));
    newLines.computeIfAbsent(start, key -> new ArrayList<>()).add(INDENT + INDENT + line + "\n");
  }

  private void claim(String newName) {
    if (!names.add(newName)) {
      throw new IllegalArgumentException(
          "%s has '%s' already; ask for an unused name".formatted(name, newName));
    }
  }

  /** Reports the changes to the file for all additions. */
  void writeAdditions(Edits edits) {
    if (!newBuffers.isEmpty()) {
      List<String> all = new ArrayList<>(buffers);
      all.addAll(newBuffers);
      edits.replace(
          layout.buffersStart(),
          layout.buffersEnd(),
          INDENT
              + "__buffers__ = ["
              + all.stream().map(buffer -> '"' + buffer + "\", ").collect(Collectors.joining())
              + "]\n");
    }
    wrappedResults.forEach(
        (result, function) -> {
          edits.insert(result.start(), function + "(");
          edits.insert(result.end(), ")");
        });
    newLines.forEach((position, lines) -> lines.forEach(line -> edits.insert(position, line)));
    newAttributes.forEach(attribute -> edits.insert(layout.attributesEnd(), attribute));
    newMethods.forEach(method -> edits.insert(layout.end(), method));
  }

  private static String simple(String qualified) {
    return qualified.substring(qualified.lastIndexOf('.') + 1);
  }

  @Override
  public String toString() {
    return name;
  }
}
