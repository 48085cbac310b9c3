package dev.kvant.torch.script;

import java.util.List;
import java.util.Set;

/**
 * A call that is given what an {@link AttributeRead} reads.
 *
 * @since 0.1.0
 */
public final class CallArgument {

  private final Expression.Call call;
  private final String function;
  private final int index;
  private final ScriptFile file;
  private boolean redirected;

  CallArgument(Expression.Call call, String function, int index, ScriptFile file) {
    this.call = call;
    this.function = function;
    this.index = index;
    this.file = file;
  }

  /**
   * What is called, as in {@code torch.linear} or {@code __torch__.torch.nn.functional.linear}; the
   * empty string for a method.
   */
  public String function() {
    return function;
  }

  /** What is called as it is written, as in {@code (self)._conv_forward}. */
  String callee() {
    return file.text(call.function().start(), call.function().end());
  }

  /** The method of a module that is called, by its own name; the empty string for anything else. */
  String method() {
    return function.isEmpty() && call.function() instanceof Expression.Attribute method
        ? method.name()
        : "";
  }

  /** Whether the call changes what it is given, as {@code torch.embedding_renorm_} does. */
  boolean isChanged() {
    return index == 0 && function.endsWith("_") && !function.endsWith("__");
  }

  /** Whether this and another value are given to the same call. */
  public boolean isOf(CallArgument other) {
    return file == other.file
        && call.start() == other.call.start()
        && call.end() == other.call.end();
  }

  /** At which position it is given. */
  public int index() {
    return index;
  }

  /** The arguments as they are written, each with its keyword if it has one. */
  public List<String> arguments() {
    return call.arguments().stream()
        .map(argument -> file.text(argument.start(), argument.value().end()))
        .toList();
  }

  /** Whether an argument is written out: a number, a string or a constant such as {@code None}. */
  public boolean isLiteral(int argument) {
    return call.arguments().get(argument).value() instanceof Expression.Literal;
  }

  /**
   * Calls something else instead, with some of the arguments in their order.
   *
   * @param callee what to call, as in {@code (self).lookup}
   * @param kept the positions of the arguments that it is given
   */
  public void redirect(String callee, Set<Integer> kept) {
    redirected = true;
    file.edits().replace(call.function().start(), call.function().end(), callee);
    for (int i = 0; i < call.arguments().size(); i++) {
      if (!kept.contains(i)) {
        Expression.Call.Argument dropped = call.arguments().get(i);
        file.edits().replace(dropped.start(), dropped.end(), "");
      }
    }
  }

  boolean isRedirected() {
    return redirected;
  }
}
