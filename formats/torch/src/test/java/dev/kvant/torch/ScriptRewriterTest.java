package dev.kvant.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ModelFormatException;
import dev.kvant.torch.archive.ArchiveRecord;
import dev.kvant.torch.archive.ArchiveWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The root's class, which is given methods. */
class ScriptRewriterTest {

  @TempDir private Path folder;

  @Test
  void knows_the_class_of_the_root() {
    try (ScriptModel model = (ScriptModel) TestModels.open("places.pt")) {
      assertThat(new ScriptRewriter(model).rootType().name())
          .isEqualTo("__torch__.networks.Places");
    }
  }

  @Test
  void refuses_a_root_whose_code_is_not_understood() {
    Path file = withCode("class Places(Module):\n  __parameters__ = [\\]\n");

    try (ScriptModel model = (ScriptModel) new TorchFormat().open(file)) {
      var rewriter = new ScriptRewriter(model);

      assertThatThrownBy(rewriter::rootType)
          .isInstanceOf(ModelFormatException.class)
          .hasMessageContainingAll(
              file.toString(), "__torch__.networks.Places", "code/__torch__/networks.py, line ");
    }
  }

  private Path withCode(String text) {
    Path file = folder.resolve("changed.pt");
    try (ScriptModel model = (ScriptModel) TestModels.open("places.pt");
        var writer = ArchiveWriter.create(file, "changed")) {
      for (ArchiveRecord record : model.archive().records()) {
        if (record.name().equals("code/__torch__/networks.py")) {
          writer.record(record.name(), text.getBytes(StandardCharsets.UTF_8));
        } else {
          writer.copy(record);
        }
      }
      writer.finish();
    }
    return file;
  }
}
