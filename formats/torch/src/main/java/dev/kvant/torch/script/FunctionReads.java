package dev.kvant.torch.script;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Finds out which attributes of which classes one function reads and writes. */
final class FunctionReads {

  /** Names that begin the names of functions and constants, never those of modules. */
  private static final Set<String> NAMESPACES = Set.of("__torch__", "torch", "ops", "CONSTANTS");

  /** Receives the results. */
  interface Findings {

    /** An attribute of a class's instances is read. */
    void read(String type, String attribute, AttributeRead read);

    /** An attribute of a class's instances is assigned to. */
    void written(String type, String attribute, String writer);

    /** A method of a class's instances is called; it is named by the class and its own name. */
    void called(String method, List<MethodCalls.Argument> arguments);

    /** An attribute of an unknown class's instances is read or assigned to. */
    void untraced(String attribute, String function);
  }

  private final ScriptFunction function;
  private final ScriptFile file;
  private final Map<String, ScriptType> classes;
  private final Findings findings;
  private final Map<String, Integer> assignments;
  private final Map<String, String> moduleVariables = new HashMap<>();
  private final Map<String, String> functionVariables = new HashMap<>();
  private final Map<String, ScriptAttribute> attributeVariables = new HashMap<>();
  private final Map<String, List<CallArgument>> callsByVariable = new HashMap<>();
  private final Map<String, Integer> usesByVariable = new HashMap<>();

  FunctionReads(
      ScriptFunction function,
      ScriptFile file,
      Map<String, ScriptType> classes,
      Findings findings) {
    this.function = function;
    this.file = file;
    this.classes = classes;
    this.findings = findings;
    this.assignments = function.assignments();
  }

  /** Looks through the function. */
  void find() {
    function
        .parameters()
        .forEach(
            parameter -> {
              if (classes.containsKey(parameter.type())) {
                moduleVariables.put(parameter.name(), parameter.type());
              }
            });
    for (Statement statement : function.body()) {
      String variable = onlyAssignment(statement);
      if (variable != null) {
        followVariable(variable, statement.values().get(0));
      }
    }
    forEachExpression(this::countUses);
    for (Statement statement : function.body()) {
      String variable = onlyAssignment(statement);
      for (Expression value : statement.values()) {
        if (variable != null && value instanceof Expression.Attribute attribute) {
          List<CallArgument> calls = callsByVariable.getOrDefault(variable, List.of());
          int uses = usesByVariable.getOrDefault(variable, 0);
          read(attribute, statement, calls, uses - calls.size());
        } else {
          visit(value, null);
        }
      }
      statement.targets().forEach(this::write);
    }
  }

  /** The variable that a line assigns a value to, if no other line does; otherwise null. */
  private @Nullable String onlyAssignment(Statement statement) {
    return statement.targets().size() == 1
            && statement.values().size() == 1
            && statement.targets().get(0) instanceof Expression.Name variable
            && Integer.valueOf(1).equals(assignments.get(variable.name()))
        ? variable.name()
        : null;
  }

  private void followVariable(String variable, Expression value) {
    String type = typeOf(value);
    String called = qualified(value);
    ScriptAttribute attribute = attributeOf(value);
    if (type != null) {
      moduleVariables.put(variable, type);
    } else if (called != null) {
      functionVariables.put(variable, called);
    } else if (attribute != null) {
      attributeVariables.put(variable, attribute);
    }
  }

  /** The attribute of a module that an expression is the value of; null for any other value. */
  private @Nullable ScriptAttribute attributeOf(Expression expression) {
    if (expression instanceof Expression.Name name) {
      return attributeVariables.get(name.name());
    }
    if (expression instanceof Expression.Attribute attribute) {
      String owner = typeOf(attribute.base());
      return owner == null ? null : new ScriptAttribute(owner, attribute.name());
    }
    return null;
  }

  private MethodCalls.Argument given(Expression.Call.Argument argument) {
    ScriptAttribute attribute = attributeOf(argument.value());
    MethodCalls.Source source = new MethodCalls.Other();
    if (attribute != null) {
      source = new MethodCalls.Attribute(attribute);
    } else if (argument.value() instanceof Expression.Name name
        && !assignments.containsKey(name.name())
        && function.parameters().stream().anyMatch(own -> own.name().equals(name.name()))) {
      source = new MethodCalls.Parameter(function.name(), name.name());
    }
    return new MethodCalls.Argument(argument.keyword(), source);
  }

  /** The class that an expression is an instance of; null for a value, or when unknown. */
  private @Nullable String typeOf(Expression expression) {
    if (expression instanceof Expression.Name name) {
      return moduleVariables.get(name.name());
    }
    if (expression instanceof Expression.Parenthesized parenthesized) {
      return typeOf(parenthesized.inner());
    }
    if (expression instanceof Expression.Attribute attribute) {
      String owner = typeOf(attribute.base());
      ScriptType type = owner == null ? null : classes.get(owner);
      String declared = type == null ? null : type.attributes().get(attribute.name());
      return declared != null && classes.containsKey(declared) ? declared : null;
    }
    return null;
  }

  /** The name of a function or constant that an expression is, or null. */
  private @Nullable String qualified(Expression expression) {
    if (expression instanceof Expression.Name name) {
      return functionVariables.get(name.name());
    }
    String dotted =
        expression instanceof Expression.Attribute attribute ? attribute.dotted() : null;
    return dotted != null && NAMESPACES.contains(dotted.substring(0, dotted.indexOf('.')))
        ? dotted
        : null;
  }

  private void forEachExpression(Consumer<Expression> visitor) {
    for (Statement statement : function.body()) {
      statement.values().forEach(value -> value.walk(visitor));
      for (Expression target : statement.targets()) {
        if (!(target instanceof Expression.Name)) {
          target.walk(visitor);
        }
      }
    }
  }

  private void countUses(Expression expression) {
    if (expression instanceof Expression.Name name) {
      usesByVariable.merge(name.name(), 1, Integer::sum);
    } else if (expression instanceof Expression.Call call) {
      for (int i = 0; i < call.arguments().size(); i++) {
        if (call.arguments().get(i).value() instanceof Expression.Name name) {
          callsByVariable
              .computeIfAbsent(name.name(), any -> new ArrayList<>())
              .add(argument(call, i));
        }
      }
    }
  }

  private CallArgument argument(Expression.Call call, int index) {
    String called = qualified(call.function());
    return new CallArgument(call, called == null ? "" : called, index, file);
  }

  private void write(Expression target) {
    if (target instanceof Expression.Attribute attribute) {
      String type = typeOf(attribute.base());
      if (type == null) {
        findings.untraced(attribute.name(), function.name());
      } else {
        findings.written(type, attribute.name(), function.name());
      }
      visit(attribute.base(), null);
    } else {
      target.children().forEach(this::write);
    }
  }

  /**
   * Finds the reads within an expression.
   *
   * @param given the call that is given it directly, or null
   */
  private void visit(Expression expression, @Nullable CallArgument given) {
    if (expression instanceof Expression.Attribute attribute) {
      read(attribute, null, given == null ? List.of() : List.of(given), given == null ? 1 : 0);
    } else if (expression instanceof Expression.Call call) {
      if (call.function() instanceof Expression.Attribute method) {
        String owner = typeOf(method.base());
        if (owner != null) {
          findings.called(
              owner + "." + method.name(), call.arguments().stream().map(this::given).toList());
        }
        visit(method.base(), null);
      } else {
        visit(call.function(), null);
      }
      for (int i = 0; i < call.arguments().size(); i++) {
        visit(call.arguments().get(i).value(), argument(call, i));
      }
    } else {
      expression.children().forEach(child -> visit(child, null));
    }
  }

  private void read(
      Expression.Attribute attribute,
      @Nullable Statement assignment,
      List<CallArgument> calls,
      int otherUses) {
    String type = typeOf(attribute.base());
    if (type != null) {
      findings.read(
          type,
          attribute.name(),
          new AttributeRead(function.name(), attribute, assignment, calls, otherUses, file));
      visit(attribute.base(), null);
    } else if (qualified(attribute) == null) {
      findings.untraced(attribute.name(), function.name());
      visit(attribute.base(), null);
    }
  }
}
