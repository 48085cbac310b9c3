package dev.kvant.torch.script;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads expressions from the tokens of one line.
 *
 * <p>Reading them and walking through them is recursive. Both are bounded: no expression lies
 * deeper in another one than {@value #MAX_DEPTH} levels, which torch never comes near.
 */
final class ExpressionParser {

  static final int MAX_DEPTH = 500;

  private static final Set<String> CONSTANTS = Set.of("None", "True", "False");
  private static final Set<String> WORD_OPERATORS = Set.of("and", "or", "not", "in", "is");
  private static final Set<String> KEYWORDS =
      Set.of("if", "else", "elif", "lambda", "for", "while", "return", "yield", "with", "as");
  private static final Set<String> ENDS = Set.of(",", ":", "=", ")", "]", "}", ";", "->", ".", "@");

  private final List<Token> tokens;
  private int next;

  /** How deep within others the operand is that is read. */
  private int depth;

  /** How many levels the expression has that was read last. */
  private int height;

  ExpressionParser(List<Token> tokens) {
    this.tokens = tokens;
  }

  /** The expressions, separated by commas, that all the tokens make up. */
  static List<Expression> parseList(List<Token> tokens) {
    var parser = new ExpressionParser(tokens);
    List<Expression> expressions = new ArrayList<>();
    while (parser.peek() != null) {
      expressions.add(parser.expression());
      if (parser.peek() != null) {
        parser.expect(",");
      }
    }
    return expressions;
  }

  private Expression expression() {
    Expression first = operand();
    List<Expression> operands = new ArrayList<>(List.of(first));
    int highest = height;
    while (atBinaryOperator()) {
      next++;
      operands.add(operand());
      highest = Math.max(highest, height);
    }
    if (operands.size() == 1) {
      return first;
    }
    wrap(highest, tokens.get(next - 1));
    return new Expression.Compound(
        operands, first.start(), operands.get(operands.size() - 1).end());
  }

  private boolean atBinaryOperator() {
    Token token = peek();
    return token != null
        && (token.kind() == Token.Kind.SYMBOL
            ? !ENDS.contains(token.text())
            : token.kind() == Token.Kind.NAME && WORD_OPERATORS.contains(token.text()));
  }

  private Expression operand() {
    Token token = take();
    if (++depth > MAX_DEPTH) {
      throw tooDeep(token);
    }
    height = 1;
    Expression operand =
        switch (token.kind()) {
          case NUMBER, STRING -> new Expression.Literal(token.text(), token.start(), token.end());
          case NAME -> named(token);
          case SYMBOL ->
              switch (token.text()) {
                case "(" -> tuple(token);
                case "[", "{" -> collection(token);
                case "-", "+", "~", "*", "**" -> unary(token);
                default -> throw unexpected(token);
              };
        };
    Expression suffixed = suffixed(operand);
    depth--;
    return suffixed;
  }

  /** Notes that an expression was put around the one that was read. */
  private void wrap(int innerHeight, Token at) {
    height = innerHeight + 1;
    if (height > MAX_DEPTH) {
      throw tooDeep(at);
    }
  }

  private Expression named(Token token) {
    if (CONSTANTS.contains(token.text())) {
      return new Expression.Literal(token.text(), token.start(), token.end());
    }
    if (token.is("not")) {
      return unary(token);
    }
    if (KEYWORDS.contains(token.text()) || WORD_OPERATORS.contains(token.text())) {
      throw unexpected(token);
    }
    return new Expression.Name(token.text(), token.start(), token.end());
  }

  private Expression unary(Token operator) {
    Expression operand = operand();
    wrap(height, operator);
    return new Expression.Compound(List.of(operand), operator.start(), operand.end());
  }

  private Expression suffixed(Expression operand) {
    Expression result = operand;
    for (Token token = peek(); token != null; token = peek()) {
      if (token.is(".")) {
        next++;
        Token name = take();
        if (name.kind() != Token.Kind.NAME) {
          throw unexpected(name);
        }
        wrap(height, name);
        result = new Expression.Attribute(result, name.text(), result.start(), name.end());
      } else if (token.is("(")) {
        result = call(result);
      } else if (token.is("[")) {
        int indexed = height;
        Expression index = collection(take());
        wrap(Math.max(indexed, height), token);
        result = new Expression.Compound(List.of(result, index), result.start(), index.end());
      } else {
        break;
      }
    }
    return result;
  }

  private Expression call(Expression function) {
    expect("(");
    List<Expression.Call.Argument> arguments = new ArrayList<>();
    int highest = height;
    while (!at(")")) {
      Token first = require();
      @Nullable String keyword = null;
      if (first.kind() == Token.Kind.NAME
          && next + 1 < tokens.size()
          && tokens.get(next + 1).is("=")) {
        keyword = first.text();
        next += 2;
      }
      Expression value = expression();
      highest = Math.max(highest, height);
      if (!at(")")) {
        expect(",");
      }
      arguments.add(new Expression.Call.Argument(keyword, value, first.start(), require().start()));
    }
    Token close = take();
    int end = close.end();
    wrap(highest, close);
    if (function instanceof Expression.Name name
        && name.name().equals("getattr")
        && arguments.size() == 2
        && arguments.get(1).value() instanceof Expression.Literal text
        && text.text().length() > 2) {
      String attribute = text.text().substring(1, text.text().length() - 1);
      return new Expression.Attribute(arguments.get(0).value(), attribute, function.start(), end);
    }
    return new Expression.Call(function, arguments, function.start(), end);
  }

  private Expression tuple(Token open) {
    List<Expression> items = new ArrayList<>();
    boolean comma = false;
    int highest = 0;
    while (!at(")")) {
      items.add(expression());
      highest = Math.max(highest, height);
      if (!at(")")) {
        expect(",");
        comma = true;
      }
    }
    int end = take().end();
    wrap(highest, open);
    return items.size() == 1 && !comma
        ? new Expression.Parenthesized(items.get(0), open.start(), end)
        : new Expression.Compound(items, open.start(), end);
  }

  private Expression collection(Token open) {
    String close = open.is("[") ? "]" : "}";
    List<Expression> items = new ArrayList<>();
    int highest = 0;
    while (!at(close)) {
      if (at(",") || at(":")) {
        next++;
      } else {
        items.add(expression());
        highest = Math.max(highest, height);
      }
    }
    wrap(highest, open);
    return new Expression.Compound(items, open.start(), take().end());
  }

  private @Nullable Token peek() {
    return next < tokens.size() ? tokens.get(next) : null;
  }

  private boolean at(String symbol) {
    return require().is(symbol);
  }

  private Token require() {
    Token token = peek();
    if (token == null) {
      throw new ScriptSyntaxException("a line ends early", tokens.get(tokens.size() - 1).end());
    }
    return token;
  }

  private Token take() {
    Token token = require();
    next++;
    return token;
  }

  private void expect(String symbol) {
    Token token = take();
    if (!token.is(symbol)) {
      throw unexpected(token);
    }
  }

  private static ScriptSyntaxException tooDeep(Token at) {
    return new ScriptSyntaxException(
        "expressions are nested deeper than %d levels".formatted(MAX_DEPTH), at.start());
  }

  private static ScriptSyntaxException unexpected(Token token) {
    return new ScriptSyntaxException("'%s' is not expected".formatted(token.text()), token.start());
  }
}
