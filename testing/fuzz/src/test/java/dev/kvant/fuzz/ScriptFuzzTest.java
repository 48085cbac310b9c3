package dev.kvant.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.kvant.api.QuantizationMode;
import dev.kvant.torch.script.ForwardMethod;
import dev.kvant.torch.script.LinearProducts;
import dev.kvant.torch.script.ScriptCode;
import dev.kvant.torch.script.ScriptType;
import java.nio.file.Path;
import java.util.Map;

class ScriptFuzzTest {

  /** A module of one Linear. */
  private static final SoundArchive ARCHIVE = new SoundArchive("linear.pt");

  @FuzzTest
  void parses(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(
        () -> {
          ScriptCode code = ScriptCode.parse(Map.of("code/__torch__.py", input.text()));
          for (ScriptType type : code.types()) {
            ForwardMethod.of(type);
            ForwardMethod.isCalled(type);
            LinearProducts.of(code, type);
            code.reads(type, "weight");
            code.writers(type, "weight");
            code.given(type, "forward", "input");
          }
          code.untraced("weight");
          code.changedTexts();
        });
  }

  @FuzzTest
  void rewrites(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(
        () -> {
          Path file = ARCHIVE.with("/modules/linear.py", bytes, "code.pt");
          Models.inspect(file);
          Models.quantize(file, "torchao", QuantizationMode.DYNAMIC_PTQ);
        });
  }

  @FuzzTest
  void reads_the_tree(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(() -> Models.inspect(ARCHIVE.with("/data.pkl", bytes, "tree.pt")));
  }
}
