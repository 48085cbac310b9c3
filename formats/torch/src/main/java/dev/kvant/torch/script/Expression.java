package dev.kvant.torch.script;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** An expression of TorchScript text, as far as it matters who reads which attribute. */
sealed interface Expression {

  /** Where it begins in the file. */
  int start();

  /** Where it ends in the file, exclusive. */
  int end();

  /** What it consists of, in order. */
  List<Expression> children();

  /** Visits this expression and all within it, outer ones first. */
  default void walk(Consumer<Expression> visitor) {
    visitor.accept(this);
    children().forEach(child -> child.walk(visitor));
  }

  /** A variable. */
  record Name(String name, int start, int end) implements Expression {
    @Override
    public List<Expression> children() {
      return List.of();
    }
  }

  /** A number, a string or a constant such as {@code None}. */
  record Literal(String text, int start, int end) implements Expression {
    @Override
    public List<Expression> children() {
      return List.of();
    }
  }

  /** {@code base.name}, or {@code getattr(base, "name")} for a name that is not an identifier. */
  record Attribute(Expression base, String name, int start, int end) implements Expression {
    @Override
    public List<Expression> children() {
      return List.of(base);
    }

    /** The names joined by dots, if this is a variable's attribute's attribute and so on. */
    @Nullable String dotted() {
      if (base instanceof Name variable) {
        return variable.name() + "." + name;
      }
      String prefix = base instanceof Attribute outer ? outer.dotted() : null;
      return prefix == null ? null : prefix + "." + name;
    }
  }

  /** {@code function(arguments)}. */
  record Call(Expression function, List<Argument> arguments, int start, int end)
      implements Expression {

    /**
     * An argument.
     *
     * @param keyword its name, or null
     * @param value its value
     * @param end where it ends, with the comma and the blanks behind it
     */
    record Argument(@Nullable String keyword, Expression value, int start, int end) {}

    @Override
    public List<Expression> children() {
      List<Expression> children = new ArrayList<>();
      children.add(function);
      arguments.forEach(argument -> children.add(argument.value()));
      return children;
    }
  }

  /** An expression in parentheses. */
  record Parenthesized(Expression inner, int start, int end) implements Expression {
    @Override
    public List<Expression> children() {
      return List.of(inner);
    }
  }

  /** Anything else: lists, tuples, subscripts, operators. */
  record Compound(List<Expression> children, int start, int end) implements Expression {}
}
