package dev.kvant.torch.script;

import java.util.List;

/**
 * A call within a method.
 *
 * @param function what is called, as in {@code torch.linear} or {@code self._conv_forward}; the
 *     empty string for anything without a name
 * @param variables the arguments in order, each by the name of its variable; the empty string for
 *     one that is not a variable
 * @since 0.1.0
 */
public record ScriptCall(String function, List<String> variables) {

  public ScriptCall {
    variables = List.copyOf(variables);
  }

  static ScriptCall of(Expression.Call call) {
    return new ScriptCall(
        name(call.function()),
        call.arguments().stream()
            .map(argument -> argument.value() instanceof Expression.Name name ? name.name() : "")
            .toList());
  }

  private static String name(Expression function) {
    if (function instanceof Expression.Name variable) {
      return variable.name();
    }
    if (function instanceof Expression.Parenthesized parenthesized) {
      return name(parenthesized.inner());
    }
    if (function instanceof Expression.Attribute attribute) {
      String base = name(attribute.base());
      return base.isEmpty() ? "" : base + "." + attribute.name();
    }
    return "";
  }
}
