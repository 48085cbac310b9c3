package dev.kvant.torch.script;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A line of a function's body. Blocks are flat: the lines of an {@code if} follow its head.
 *
 * @param targets what it assigns to
 * @param values what it computes
 * @param line its line
 */
record Statement(List<Expression> targets, List<Expression> values, LogicalLine line) {

  private static final Set<String> BARE = Set.of("else", "pass", "break", "continue", "try");

  /** What an inner function's head consists of behind its name: it has no parameters. */
  private static final List<String> NO_PARAMETERS = List.of("(", ")");

  private static final Set<String> HEADED =
      Set.of("if", "elif", "while", "return", "raise", "assert");

  /** Reads a line. */
  static Statement parse(LogicalLine line) {
    List<Token> tokens =
        line.opensBlock() ? line.tokens().subList(0, line.tokens().size() - 1) : line.tokens();
    if (tokens.isEmpty()) {
      throw new ScriptSyntaxException("a block has no head", line.start());
    }
    Token first = tokens.get(0);
    List<Token> rest = tokens.subList(1, tokens.size());
    if (first.kind() == Token.Kind.NAME) {
      if (BARE.contains(first.text())) {
        return new Statement(List.of(), List.of(), line);
      }
      if (HEADED.contains(first.text())) {
        return new Statement(List.of(), ExpressionParser.parseList(rest), line);
      }
      if (first.is("def")) {
        return innerFunction(rest, line);
      }
      if (first.is("for")) {
        int in = indexOf(rest, "in", 0);
        if (in == rest.size()) {
          throw new ScriptSyntaxException("'for' has no 'in'", first.start());
        }
        return split(rest.subList(0, in), rest.subList(in + 1, rest.size()), line);
      }
      if (first.is("with")) {
        int as = indexOf(rest, "as", 0);
        return split(
            rest.subList(Math.min(as + 1, rest.size()), rest.size()), rest.subList(0, as), line);
      }
    }
    return assignment(tokens, line);
  }

  /**
   * The head of a function that {@code fork} or {@code awaitable} is given. It uses the variables
   * around it, so that its lines are lines of the outer function.
   */
  private static Statement innerFunction(List<Token> signature, LogicalLine line) {
    if (signature.isEmpty()
        || signature.get(0).kind() != Token.Kind.NAME
        || !signature.subList(1, signature.size()).stream()
            .map(Token::text)
            .toList()
            .equals(NO_PARAMETERS)) {
      throw new ScriptSyntaxException("an inner function has parameters", line.start());
    }
    return new Statement(List.of(), List.of(), line);
  }

  /** Targets {@code =} values, with a type behind the targets or without. */
  private static Statement assignment(List<Token> tokens, LogicalLine line) {
    int equals = indexOf(tokens, "=", 0);
    if (equals == tokens.size()) {
      int colon = indexOf(tokens, ":", 0);
      return split(List.of(), colon == tokens.size() ? tokens : List.of(), line);
    }
    int colon = Math.min(indexOf(tokens, ":", 0), equals);
    List<Expression> targets = new ArrayList<>();
    targets.addAll(ExpressionParser.parseList(tokens.subList(0, colon)));
    int value = equals + 1;
    for (int chained = indexOf(tokens, "=", value);
        chained < tokens.size();
        chained = indexOf(tokens, "=", value)) {
      targets.addAll(ExpressionParser.parseList(tokens.subList(value, chained)));
      value = chained + 1;
    }
    return new Statement(
        targets, ExpressionParser.parseList(tokens.subList(value, tokens.size())), line);
  }

  private static Statement split(List<Token> targets, List<Token> values, LogicalLine line) {
    return new Statement(
        ExpressionParser.parseList(targets), ExpressionParser.parseList(values), line);
  }

  /** The position of a token outside of brackets, or the number of tokens. */
  static int indexOf(List<Token> tokens, String text, int from) {
    int depth = 0;
    for (int i = from; i < tokens.size(); i++) {
      Token token = tokens.get(i);
      if (depth == 0 && token.is(text)) {
        return i;
      }
      depth += token.opensBracket() ? 1 : token.closesBracket() ? -1 : 0;
    }
    return tokens.size();
  }
}
