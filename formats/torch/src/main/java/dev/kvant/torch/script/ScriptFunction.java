package dev.kvant.torch.script;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A function or a method.
 *
 * @param name its qualified name
 * @param parameters its parameters, in order; those without a type are left out
 * @param result the type of its result; the empty string if the text does not say it
 * @param body its lines
 * @param text the text of its file
 */
record ScriptFunction(
    String name,
    List<ScriptParameter> parameters,
    String result,
    List<Statement> body,
    String text) {

  /**
   * Reads a function.
   *
   * @param scope what its name is qualified by
   * @param head the line with its name and parameters
   * @param lines the lines of its body
   */
  static ScriptFunction parse(
      String scope, LogicalLine head, List<LogicalLine> lines, String text) {
    List<Token> tokens = head.tokens();
    if (tokens.size() < 4 || tokens.get(1).kind() != Token.Kind.NAME || !tokens.get(2).is("(")) {
      throw new ScriptSyntaxException("no function begins so", head.start());
    }
    int close = Statement.indexOf(tokens, ")", 3);
    List<ScriptParameter> parameters = new ArrayList<>();
    int from = 3;
    while (from < close) {
      int to = Math.min(Statement.indexOf(tokens, ",", from), close);
      parameter(tokens.subList(from, to), text, parameters);
      from = to + 1;
    }
    if (lines.isEmpty()) {
      throw new ScriptSyntaxException("a function has no body", head.start());
    }
    List<Statement> body = new ArrayList<>();
    lines.forEach(line -> body.add(Statement.parse(line)));
    return new ScriptFunction(
        scope + "." + tokens.get(1).text(),
        List.copyOf(parameters),
        result(tokens.subList(close, tokens.size()), text),
        List.copyOf(body),
        text);
  }

  /** What stands between the arrow behind the parameters and the colon that ends the head. */
  private static String result(List<Token> tokens, String text) {
    int arrow = Statement.indexOf(tokens, "->", 1);
    if (arrow + 2 < tokens.size()) {
      return text.substring(tokens.get(arrow + 1).start(), tokens.get(tokens.size() - 2).end());
    }
    return "";
  }

  private static void parameter(List<Token> tokens, String text, List<ScriptParameter> parameters) {
    int colon = Statement.indexOf(tokens, ":", 0);
    int equals = Statement.indexOf(tokens, "=", 0);
    if (colon > 0 && colon + 1 < equals) {
      parameters.add(
          new ScriptParameter(
              tokens.get(0).text(),
              text.substring(tokens.get(colon + 1).start(), tokens.get(equals - 1).end()),
              equals < tokens.size()));
    }
  }

  /** The calls in its body, outer ones first. */
  List<ScriptCall> calls() {
    return expressions().stream().map(ScriptCall::of).toList();
  }

  /**
   * The arguments of a call as they are written, each with its keyword if it has one.
   *
   * @param call the position of the call in {@link #calls}
   */
  List<String> arguments(int call) {
    return expressions().get(call).arguments().stream()
        .map(argument -> text.substring(argument.start(), argument.value().end()))
        .toList();
  }

  private List<Expression.Call> expressions() {
    List<Expression.Call> calls = new ArrayList<>();
    body.stream()
        .flatMap(statement -> statement.values().stream())
        .forEach(
            value ->
                value.walk(
                    expression -> {
                      if (expression instanceof Expression.Call call) {
                        calls.add(call);
                      }
                    }));
    return calls;
  }

  /** How often each variable is assigned to. */
  Map<String, Integer> assignments() {
    Map<String, Integer> assignments = new HashMap<>();
    for (Statement statement : body) {
      for (Expression target : statement.targets()) {
        if (target instanceof Expression.Name name) {
          assignments.merge(name.name(), 1, Integer::sum);
        }
      }
    }
    return assignments;
  }
}
