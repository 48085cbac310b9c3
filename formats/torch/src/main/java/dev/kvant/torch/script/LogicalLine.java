package dev.kvant.torch.script;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A line of TorchScript text with its continuations inside brackets.
 *
 * @param indent the number of blanks at its start
 * @param tokens its tokens, at least one
 * @param start where it begins in the file, its indentation included
 * @param end where the next line begins
 */
record LogicalLine(int indent, List<Token> tokens, int start, int end) {

  private static final Pattern TOKEN =
      Pattern.compile(
          "(?<name>[\\p{L}_$][\\p{L}\\p{N}_$]*)"
              + "|(?<number>(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?j?)"
              + "|(?<string>\"(?:[^\"\\\\]|\\\\.)*+\"|'(?:[^'\\\\]|\\\\.)*+')"
              + "|(?<symbol>->|\\*\\*|//|==|!=|<=|>=|<<|>>|[-+*/%@&|^~<>=.,:;()\\[\\]{}])",
          Pattern.DOTALL);

  /** All lines of a file that are not blank. */
  static List<LogicalLine> split(String text) {
    List<LogicalLine> lines = new ArrayList<>();
    Matcher matcher = TOKEN.matcher(text);
    int position = 0;
    while (position < text.length()) {
      int start = position;
      int depth = 0;
      int indent = 0;
      List<Token> tokens = new ArrayList<>();
      boolean ended = false;
      while (!ended && position < text.length()) {
        char next = text.charAt(position);
        if (next == '\n') {
          ended = depth == 0;
          position++;
        } else if (next == '#') {
          int newline = text.indexOf('\n', position);
          position = newline < 0 ? text.length() : newline;
        } else if (next == ' ' || next == '\t' || next == '\r') {
          indent += tokens.isEmpty() ? 1 : 0;
          position++;
        } else {
          Token token = token(matcher, text, position);
          tokens.add(token);
          position = token.end();
          depth += token.opensBracket() ? 1 : token.closesBracket() ? -1 : 0;
          if (depth < 0) {
            throw new ScriptSyntaxException(
                "'%s' closes nothing".formatted(token.text()), token.start());
          }
        }
      }
      if (depth > 0) {
        throw new ScriptSyntaxException("a bracket is never closed", tokens.get(0).start());
      }
      if (!tokens.isEmpty()) {
        lines.add(new LogicalLine(indent, List.copyOf(tokens), start, position));
      }
    }
    return lines;
  }

  private static Token token(Matcher matcher, String text, int position) {
    if (!matcher.region(position, text.length()).lookingAt()) {
      throw new ScriptSyntaxException(
          "'%s' is not understood".formatted(text.charAt(position)), position);
    }
    Token.Kind kind;
    if (matcher.group("name") != null) {
      kind = Token.Kind.NAME;
    } else if (matcher.group("number") != null) {
      kind = Token.Kind.NUMBER;
    } else if (matcher.group("string") != null) {
      kind = Token.Kind.STRING;
    } else {
      kind = Token.Kind.SYMBOL;
    }
    return new Token(kind, matcher.group(), position);
  }

  /** Whether it begins with that keyword. */
  boolean startsWith(String keyword) {
    return tokens.get(0).kind() == Token.Kind.NAME && tokens.get(0).is(keyword);
  }

  /** Whether it is the head of a block. */
  boolean opensBlock() {
    return tokens.get(tokens.size() - 1).is(":");
  }
}
