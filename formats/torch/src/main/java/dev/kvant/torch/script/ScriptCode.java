package dev.kvant.torch.script;

import dev.kvant.api.Printable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * All code of a TorchScript archive: its classes, and who reads their attributes. Changes are
 * collected and become new texts.
 *
 * <p>In TorchScript a module comes into a function as {@code self} alone and leaves it nowhere, and
 * every variable is assigned once, so that what the text says about attributes is complete. What
 * cannot be followed is reported by {@link #untraced}, never ignored.
 *
 * @since 0.1.0
 */
public final class ScriptCode {

  private final Map<String, ScriptFile> files = new LinkedHashMap<>();
  private final Map<String, String> unreadable = new LinkedHashMap<>();
  private final Map<String, ScriptType> classes = new LinkedHashMap<>();
  private final Map<String, ScriptFunction> methods = new LinkedHashMap<>();
  private final Map<ScriptAttribute, List<AttributeRead>> reads = new LinkedHashMap<>();
  private final Map<ScriptAttribute, List<String>> writers = new LinkedHashMap<>();
  private final MethodCalls calls = new MethodCalls();
  private final Map<String, List<String>> untraced = new LinkedHashMap<>();

  private ScriptCode() {}

  /**
   * Reads the code of an archive.
   *
   * @param texts the texts by record, as in {@code code/__torch__/networks.py}
   */
  public static ScriptCode parse(Map<String, String> texts) {
    var code = new ScriptCode();
    texts.forEach(
        (record, text) -> {
          try {
            code.files.put(record, new ScriptFile(record, text));
          } catch (ScriptSyntaxException e) {
            code.unreadable.put(record, describe(record, text, e));
          }
        });
    code.index();
    return code;
  }

  /** The code as it was read, for other changes, without reading it again. */
  public ScriptCode unchanged() {
    var code = new ScriptCode();
    files.forEach((record, file) -> code.files.put(record, file.unchanged()));
    code.unreadable.putAll(unreadable);
    code.index();
    return code;
  }

  private static String describe(String record, String text, ScriptSyntaxException e) {
    long line = 1 + text.substring(0, e.position()).chars().filter(c -> c == '\n').count();
    return Printable.shortened("%s, line %d: %s".formatted(record, line, e.getMessage()));
  }

  /** The class of that qualified name. */
  public Optional<ScriptType> type(String qualifiedName) {
    Objects.requireNonNull(qualifiedName, "qualifiedName");
    return Optional.ofNullable(classes.get(qualifiedName));
  }

  /** All classes. */
  public Collection<ScriptType> types() {
    return Collections.unmodifiableCollection(classes.values());
  }

  /** The places that read an attribute of a class's instances. */
  public List<AttributeRead> reads(ScriptType type, String attribute) {
    return Collections.unmodifiableList(
        reads.getOrDefault(new ScriptAttribute(type.name(), attribute), List.of()));
  }

  /**
   * The attributes whose values a parameter of a method is given. Empty if the method is called
   * from outside of the archive's code, or is given anything else somewhere.
   */
  public Optional<Set<ScriptAttribute>> given(ScriptType type, String method, String parameter) {
    return calls.given(type.name() + "." + method, parameter, methods);
  }

  /** The functions that assign to an attribute of a class's instances. */
  public List<String> writers(ScriptType type, String attribute) {
    return Collections.unmodifiableList(
        writers.getOrDefault(new ScriptAttribute(type.name(), attribute), List.of()));
  }

  /** Whether anything in the code that could be read calls one of these functions. */
  public boolean calls(Set<String> functions) {
    return files.values().stream()
        .flatMap(
            file ->
                Stream.concat(
                    file.functions().stream(),
                    file.classes().stream().flatMap(type -> type.functions().stream())))
        .flatMap(function -> function.calls().stream())
        .anyMatch(call -> functions.contains(call.function()));
  }

  /** The records that are not as torch writes them, each with the line and what is wrong there. */
  public List<String> unreadable() {
    return List.copyOf(unreadable.values());
  }

  /**
   * Where an attribute of that name may be read or written without anything in the text telling of
   * which class: function names, and records that are not as torch writes them. Empty for all that
   * torch itself writes.
   */
  public List<String> untraced(String attribute) {
    List<String> all = new ArrayList<>(unreadable());
    all.addAll(untraced.getOrDefault(attribute, List.of()));
    return all;
  }

  /** The texts by record, with all changes made. Those without a change are left out. */
  public Map<String, String> changedTexts() {
    Map<String, String> texts = new LinkedHashMap<>();
    files.forEach((record, file) -> file.rewritten().ifPresent(text -> texts.put(record, text)));
    return texts;
  }

  private void index() {
    for (ScriptFile file : files.values()) {
      for (ScriptType type : file.classes()) {
        classes.put(type.name(), type);
        type.functions().forEach(method -> methods.put(method.name(), method));
      }
    }
    for (ScriptFile file : files.values()) {
      file.functions().forEach(function -> index(file, function));
      for (ScriptType type : file.classes()) {
        type.functions().forEach(method -> index(file, method));
      }
    }
  }

  private void index(ScriptFile file, ScriptFunction function) {
    var findings =
        new FunctionReads.Findings() {
          @Override
          public void read(String type, String attribute, AttributeRead read) {
            reads
                .computeIfAbsent(new ScriptAttribute(type, attribute), any -> new ArrayList<>())
                .add(read);
          }

          @Override
          public void written(String type, String attribute, String writer) {
            writers
                .computeIfAbsent(new ScriptAttribute(type, attribute), any -> new ArrayList<>())
                .add(writer);
          }

          @Override
          public void called(String method, List<MethodCalls.Argument> arguments) {
            calls.add(method, arguments);
          }

          @Override
          public void untraced(String attribute, String function) {
            untraced.computeIfAbsent(attribute, any -> new ArrayList<>()).add(function);
          }
        };
    new FunctionReads(function, file, classes, findings).find();
  }
}
