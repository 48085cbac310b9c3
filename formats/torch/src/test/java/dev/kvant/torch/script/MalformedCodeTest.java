package dev.kvant.torch.script;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.kvant.torch.archive.ArchiveRecord;
import dev.kvant.torch.archive.TorchArchive;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Code that torch did not write: each record of it is reported, and nothing else happens. */
class MalformedCodeTest {

  private static final Path MODELS = Path.of("src/test/resources/models");

  private static final int MUTANTS = 400;

  /** What a mutation puts in: all that the grammar makes something of. */
  private static final List<String> PIECES =
      List.of(
          "(",
          ")",
          "[",
          "]",
          "{",
          "}",
          ":",
          ",",
          "=",
          ".",
          "->",
          "@",
          "\"",
          "'",
          "\\",
          "#",
          "?",
          "\n",
          "\n  ",
          "\n    ",
          "0",
          "1e",
          "self",
          "weight",
          "def ",
          "class ",
          "for ",
          "in ",
          "with ",
          "as ",
          "if ",
          "return ",
          "getattr(",
          "__annotations__[",
          "__buffers__ = [",
          "None",
          "torch.linear(",
          "(self).",
          "\0",
          "\uD800",
          "\u2028");

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "def f(x: Tensor) -> Tensor:\\n  :\\n                 | line 2: a block has no head",
        "def f(x: Tensor) -> Tensor:\\n  for i range(3):\\n    y = x\\n | line 2: 'for' has no 'in'",
        "def f(x: Tensor) -> Tensor:\\n                        | line 1: a function has no body",
        "def f(x: Tensor) -> Tensor:\\n  return (x\\n          | line 2: a bracket is never closed",
        "def f(x: Tensor) -> Tensor:\\n  return x)\\n          | line 2: ')' closes nothing",
        "def f(x: Tensor) -> Tensor:\\n  def g(y):\\n    return y\\n | line 2: an inner function has",
        "class A(Module):\\n  __annotations__[\\n               | line 2: a bracket is never closed",
        "class A(Module):\\n  __annotations__[0] = int\\n       | line 2: no attribute is declared so",
        "class A(Module):\\n  __annotations__[\"0\"]\\n         | line 2: no attribute is declared so",
        "class A(Module):\\n  __annotations__ = int\\n          | line 2: no attribute is declared so",
        "class\\n                                               | line 1: no class begins so",
        "def\\n                                                 | line 1: no function begins so",
      })
  void tells_the_line_and_what_is_wrong_there(String text, String problem) {
    ScriptCode code =
        ScriptCode.parse(Map.of("code/__torch__.py", text.strip().replace("\\n", "\n")));

    assertThat(code.unreadable())
        .singleElement()
        .asString()
        .startsWith("code/__torch__.py, " + problem);
    assertThat(code.untraced("weight")).isEqualTo(code.unreadable());
  }

  @ParameterizedTest
  @ValueSource(strings = {"(", "[", "-", "f(", "x.f(", "{1: "})
  void does_not_follow_expressions_without_end(String opening) {
    String closing = opening.endsWith("(") ? ")" : opening.equals("[") ? "]" : "";
    String deep = opening.repeat(100_000) + "x" + closing.repeat(100_000);
    ScriptCode code =
        ScriptCode.parse(Map.of("code/f.py", "def f(x: Tensor) -> Tensor:\n  return " + deep));

    assertThat(code.unreadable()).hasSize(1);
  }

  @Test
  void does_not_follow_chains_of_attributes_without_end() {
    String chains = "x" + ".y".repeat(300) + "(z" + ".y".repeat(300) + ")";
    ScriptCode code =
        ScriptCode.parse(Map.of("code/f.py", "def f(x: Tensor) -> Tensor:\n  return " + chains));
    ScriptCode deeper =
        ScriptCode.parse(
            Map.of("code/f.py", "def f(x: Tensor) -> Tensor:\n  return x" + ".y".repeat(100_000)));

    assertThat(code.unreadable()).isEmpty();
    assertThat(deeper.unreadable()).singleElement().asString().contains("nested deeper than 500");
  }

  @Test
  void reads_long_texts_names_and_functions() {
    String body =
        "  y = \"%s\"\n".formatted("long ".repeat(200_000))
            + "  x = torch.relu(x)\n".repeat(50_000)
            + "  return x\n";
    ScriptCode code = ScriptCode.parse(Map.of("code/f.py", "def f(x: Tensor) -> Tensor:\n" + body));

    assertThat(code.unreadable()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"mixed.pt", "mixed_traced.pt", "tied_traced.pt", "places.pt"})
  void is_reported_whatever_it_says(String model) {
    Map<String, String> texts = texts(MODELS.resolve(model));
    List<String> records = List.copyOf(texts.keySet());
    var random = new Random(20261128);
    for (int i = 0; i < MUTANTS; i++) {
      Map<String, String> mutant = new LinkedHashMap<>(texts);
      String record = records.get(random.nextInt(records.size()));
      mutant.put(record, mutated(mutant.getOrDefault(record, ""), random));

      assertThatCode(() -> change(ScriptCode.parse(mutant)))
          .as("mutant %d of %s: %s", i, record, mutant.get(record))
          .doesNotThrowAnyException();
    }
  }

  private static Map<String, String> texts(Path model) {
    Map<String, String> texts = new LinkedHashMap<>();
    try (TorchArchive archive = TorchArchive.open(model)) {
      for (ArchiveRecord record : archive.records()) {
        if (record.name().endsWith(".py")) {
          texts.put(record.name(), new String(record.readAll(1 << 20), StandardCharsets.UTF_8));
        }
      }
    }
    return texts;
  }

  /** Up to four changes, each of which removes, repeats, inserts or moves a piece. */
  private static String mutated(String text, Random random) {
    var mutated = new StringBuilder(text);
    for (int left = 1 + random.nextInt(4); left > 0 && mutated.length() > 0; left--) {
      int start = random.nextInt(mutated.length());
      int end = Math.min(mutated.length(), start + 1 + random.nextInt(12));
      String piece = mutated.substring(start, end);
      switch (random.nextInt(4)) {
        case 0 -> mutated.delete(start, end);
        case 1 -> mutated.insert(start, piece);
        case 2 -> mutated.insert(start, PIECES.get(random.nextInt(PIECES.size())));
        default -> {
          mutated.delete(start, end);
          mutated.insert(random.nextInt(mutated.length() + 1), piece);
        }
      }
    }
    return mutated.toString();
  }

  /** Does to all classes what quantizing them does. */
  private static void change(ScriptCode code) {
    for (ScriptType type : new ArrayList<>(code.types())) {
      for (String method : type.methods()) {
        type.parameters(method);
        type.calls(method);
        type.insertFirst(method, "_ = 1");
      }
      for (AttributeRead read : code.reads(type, "weight")) {
        for (CallArgument call : read.calls()) {
          call.redirect("(self).product", Set.of(0));
        }
        read.replaceByCallOf("restored");
      }
      code.writers(type, "weight");
      type.addBuffer(type.unusedName("scale"), "Tensor");
    }
    code.untraced("weight");
    code.changedTexts();
  }
}
