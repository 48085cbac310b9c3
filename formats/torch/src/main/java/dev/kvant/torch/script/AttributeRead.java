package dev.kvant.torch.script;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A place in an archive's code that reads an attribute of a module.
 *
 * @since 0.1.0
 */
public final class AttributeRead {

  private final String reader;
  private final Expression.Attribute expression;
  private final @Nullable Statement assignment;
  private final List<CallArgument> calls;
  private final int otherUses;
  private final ScriptFile file;

  /**
   * A read.
   *
   * @param assignment the line that does nothing but assign it to a variable of its own, or null
   * @param calls the calls that are given it directly or by way of that variable
   * @param otherUses how often it is used otherwise
   */
  AttributeRead(
      String reader,
      Expression.Attribute expression,
      @Nullable Statement assignment,
      List<CallArgument> calls,
      int otherUses,
      ScriptFile file) {
    this.reader = reader;
    this.expression = expression;
    this.assignment = assignment;
    this.calls = List.copyOf(calls);
    this.otherUses = otherUses;
    this.file = file;
  }

  /** The qualified name of the function that reads it. */
  public String reader() {
    return reader;
  }

  /** The module as it is written there, as in {@code self} or {@code self.out_proj}. */
  public String module() {
    return file.text(expression.base().start(), expression.base().end());
  }

  /** Operators that change the tensor in place, as in {@code torch.mul_}. */
  public List<String> changers() {
    return calls.stream().filter(CallArgument::isChanged).map(CallArgument::function).toList();
  }

  /** The calls that are given the value as an argument. */
  public List<CallArgument> calls() {
    return calls;
  }

  /**
   * Calls a method of the module instead of reading the attribute, for all uses but the redirected
   * calls; where no other use is left the read is dropped.
   */
  public void replaceByCallOf(String method) {
    long left = calls.stream().filter(call -> !call.isRedirected()).count() + otherUses;
    if (left > 0) {
      file.edits()
          .replace(expression.start(), expression.end(), "(" + module() + ")." + method + "()");
    } else if (assignment != null) {
      file.edits().replace(assignment.line().start(), assignment.line().end(), "");
    }
  }
}
