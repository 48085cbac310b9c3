package dev.kvant.torch.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.kvant.api.Device;
import dev.kvant.api.KvantException;
import dev.kvant.api.TensorBatch;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.ScriptRewriter;
import dev.kvant.torch.TorchFormat;
import dev.kvant.torch.pickle.PickleInt;
import dev.kvant.torch.script.ScriptModule;
import dev.kvant.torch.script.ScriptType;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Methods beside {@code forward} are called by their names. */
class MethodsTest {

  @TempDir private Path folder;

  @Test
  void a_method_tells_what_forward_left_in_attributes() {
    try (var runner = TorchScriptRunner.open(counting(), Device.CPU)) {
      runner.runForEffect(TensorBatch.of(Models.scans()));
      runner.runForEffect(TensorBatch.of(Models.scans()));

      assertThat(Models.output(runner.call("count"), "output").toFloats()).containsExactly(2);
    }
  }

  @Test
  void a_method_that_is_not_there_is_named() {
    try (var runner = TorchScriptRunner.open(counting(), Device.CPU)) {
      assertThatExceptionOfType(KvantException.class)
          .isThrownBy(() -> runner.call("discount"))
          .withMessageContaining("cannot run 'discount'");
    }
  }

  @Test
  void an_answer_that_cannot_be_read_is_no_obstacle_to_running_for_the_effect() {
    try (var runner = TorchScriptRunner.open(Models.resource("text.pt"), Device.CPU)) {
      runner.runForEffect(TensorBatch.of(Models.scans()));

      assertThat(runner.inputs()).hasSize(1);
    }
  }

  @Test
  void nothing_runs_in_a_closed_model() {
    var runner = TorchScriptRunner.open(counting(), Device.CPU);
    runner.close();

    assertThatIllegalStateException().isThrownBy(() -> runner.call("count"));
    assertThatIllegalStateException()
        .isThrownBy(() -> runner.runForEffect(TensorBatch.of(Models.scans())));
  }

  /** A digit classifier that counts how often it was asked. */
  private Path counting() {
    Path file = folder.resolve("counting.pt");
    try (var model = (ScriptModel) new TorchFormat().open(Models.digits("resnet_traced.pt"))) {
      var rewriter = new ScriptRewriter(model);
      ScriptModule root = rewriter.tree().modules().get(0);
      ScriptType type = rewriter.code().type(root.type().name().qualifiedName()).orElseThrow();
      type.addAttribute("asked", "int");
      root.attributes().put("asked", PickleInt.of(0));
      type.insertFirst("forward", "self.asked = torch.add(self.asked, 1)");
      type.addMethod("count", "", "Tensor", "return torch.tensor([self.asked], dtype=6)");
      rewriter.write(file, "counting", (bytes, tensor) -> {});
    }
    return file;
  }
}
