package dev.kvant.torch.script;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The calls of methods in an archive's code, and where the values come from that they are given.
 */
final class MethodCalls {

  /** Where the value of an argument comes from. */
  sealed interface Source {}

  /** A value that a module holds. */
  record Attribute(ScriptAttribute attribute) implements Source {}

  /** A value that the caller was given itself. */
  record Parameter(String method, String name) implements Source {}

  /** Anything else. */
  record Other() implements Source {}

  /**
   * An argument of a call.
   *
   * @param keyword its name, or null
   * @param source where its value comes from
   */
  record Argument(@Nullable String keyword, Source source) {}

  private final Map<String, List<List<Argument>>> callsByMethod = new HashMap<>();

  /** Notes a call of a method, which is named by its class and its own name. */
  void add(String method, List<Argument> arguments) {
    callsByMethod.computeIfAbsent(method, key -> new ArrayList<>()).add(arguments);
  }

  /**
   * The attributes whose values a parameter is given; empty if the method is called from outside,
   * or is given anything else somewhere.
   *
   * @param method the qualified name of the method
   * @param parameter the name of the parameter
   * @param functions all methods by qualified name
   */
  Optional<Set<ScriptAttribute>> given(
      String method, String parameter, Map<String, ScriptFunction> functions) {
    Set<ScriptAttribute> attributes = new LinkedHashSet<>();
    return follow(new Parameter(method, parameter), functions, attributes, new HashSet<>())
        ? Optional.of(attributes)
        : Optional.empty();
  }

  private boolean follow(
      Parameter parameter,
      Map<String, ScriptFunction> functions,
      Set<ScriptAttribute> attributes,
      Set<Parameter> followed) {
    ScriptFunction function = functions.get(parameter.method());
    List<List<Argument>> calls = callsByMethod.get(parameter.method());
    if (function == null || calls == null) {
      return false;
    }
    if (!followed.add(parameter)) {
      return true;
    }
    List<String> names = function.parameters().stream().map(ScriptParameter::name).toList();
    // The first is the module itself, which stands before the dot of a call.
    int index = names.indexOf(parameter.name()) - 1;
    for (List<Argument> arguments : calls) {
      Source source = source(arguments, parameter.name(), index);
      if (source instanceof Attribute found) {
        attributes.add(found.attribute());
      } else if (!(source instanceof Parameter outer)
          || !follow(outer, functions, attributes, followed)) {
        return false;
      }
    }
    return true;
  }

  private static Source source(List<Argument> arguments, String name, int index) {
    for (Argument argument : arguments) {
      if (name.equals(argument.keyword())) {
        return argument.source();
      }
    }
    return index >= 0 && index < arguments.size() && arguments.get(index).keyword() == null
        ? arguments.get(index).source()
        : new Other();
  }
}
