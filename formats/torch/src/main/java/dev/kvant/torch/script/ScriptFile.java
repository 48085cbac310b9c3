package dev.kvant.torch.script;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** One record of code: its classes and functions, and the changes to it. */
final class ScriptFile {

  private final String text;
  private final String module;
  private final Edits edits = new Edits();
  private final List<ScriptType> classes = new ArrayList<>();
  private final List<ScriptFunction> functions = new ArrayList<>();

  private ScriptFile(ScriptFile read) {
    this.text = read.text;
    this.module = read.module;
    read.classes.forEach(type -> classes.add(type.unchanged()));
    functions.addAll(read.functions);
  }

  /**
   * Reads a record.
   *
   * @param record its name within the archive, as in {@code code/__torch__/networks.py}
   * @param text its text
   * @throws ScriptSyntaxException if it is not as torch writes it
   */
  ScriptFile(String record, String text) {
    this.text = text;
    this.module = record.replaceFirst("^code/", "").replaceFirst("\\.py$", "").replace('/', '.');
    List<LogicalLine> lines = LogicalLine.split(text);
    int i = 0;
    while (i < lines.size()) {
      LogicalLine line = lines.get(i);
      int end = blockEnd(lines, i);
      if (line.startsWith("class")) {
        classes.add(readClass(line, lines.subList(i + 1, end)));
      } else if (line.startsWith("def")) {
        functions.add(ScriptFunction.parse(module, line, lines.subList(i + 1, end), text));
      }
      i = end;
    }
  }

  /** The record as it was read, for other changes. */
  ScriptFile unchanged() {
    return new ScriptFile(this);
  }

  List<ScriptType> classes() {
    return classes;
  }

  List<ScriptFunction> functions() {
    return functions;
  }

  Edits edits() {
    return edits;
  }

  String text(int start, int end) {
    return text.substring(start, end);
  }

  /** The text with all changes made, or nothing if there are none. */
  Optional<String> rewritten() {
    Edits all = edits.copy();
    classes.forEach(type -> type.writeAdditions(all));
    return all.isEmpty() ? Optional.empty() : Optional.of(all.apply(text));
  }

  private static int blockEnd(List<LogicalLine> lines, int head) {
    int end = head + 1;
    while (end < lines.size() && lines.get(end).indent() > lines.get(head).indent()) {
      end++;
    }
    return end;
  }

  private ScriptType readClass(LogicalLine head, List<LogicalLine> lines) {
    if (head.tokens().size() < 3 || head.tokens().get(1).kind() != Token.Kind.NAME) {
      throw new ScriptSyntaxException("no class begins so", head.start());
    }
    String name = module + "." + head.tokens().get(1).text();
    Map<String, String> attributes = new LinkedHashMap<>();
    Set<String> constants = new LinkedHashSet<>();
    List<String> buffers = new ArrayList<>();
    List<ScriptFunction> methods = new ArrayList<>();
    int listsEnd = head.end();
    int buffersStart = -1;
    int buffersEnd = -1;
    int attributesEnd = -1;
    int i = 0;
    while (i < lines.size()) {
      LogicalLine line = lines.get(i);
      int end = blockEnd(lines, i);
      List<Token> tokens = line.tokens();
      int colon = Statement.indexOf(tokens, ":", 0);
      int equals = Statement.indexOf(tokens, "=", 0);
      if (line.startsWith("def")) {
        methods.add(ScriptFunction.parse(name, line, lines.subList(i + 1, end), text));
      } else if (line.startsWith("__annotations__")) {
        boolean isEmptyTable =
            tokens.size() == 4 && equals == 1 && tokens.get(2).text().equals("[");
        if (isEmptyTable) {
          // It precedes the attributes whose names are no identifiers.
          i = end;
          continue;
        }
        if (tokens.size() < 6 || equals != 4 || tokens.get(2).kind() != Token.Kind.STRING) {
          throw new ScriptSyntaxException("no attribute is declared so", line.start());
        }
        attributes.put(unquoted(tokens.get(2)), text(tokens.get(5).start(), lastEnd(tokens)));
        attributesEnd = line.end();
      } else if (line.startsWith("__parameters__")) {
        listsEnd = line.end();
      } else if (line.startsWith("__buffers__")) {
        tokens.stream()
            .filter(token -> token.kind() == Token.Kind.STRING)
            .forEach(token -> buffers.add(unquoted(token)));
        buffersStart = line.start();
        buffersEnd = line.end();
        listsEnd = line.end();
      } else if (colon == 1 && equals == tokens.size() && tokens.size() > 2) {
        attributes.put(tokens.get(0).text(), text(tokens.get(2).start(), lastEnd(tokens)));
        attributesEnd = line.end();
      } else if (colon == 1) {
        constants.add(tokens.get(0).text());
      }
      i = end;
    }
    return new ScriptType(
        name,
        attributes,
        buffers,
        constants,
        methods,
        new ScriptType.Layout(
            buffersStart < 0 ? listsEnd : buffersStart,
            buffersStart < 0 ? listsEnd : buffersEnd,
            attributesEnd < 0 ? listsEnd : attributesEnd,
            lines.isEmpty() ? head.end() : lines.get(lines.size() - 1).end()));
  }

  private static int lastEnd(List<Token> tokens) {
    return tokens.get(tokens.size() - 1).end();
  }

  private static String unquoted(Token string) {
    return string.text().substring(1, string.text().length() - 1);
  }
}
