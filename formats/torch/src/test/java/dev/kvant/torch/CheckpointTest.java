package dev.kvant.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import dev.kvant.torch.archive.ArchiveWriter;
import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleInt;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleText;
import dev.kvant.torch.pickle.PickleTuple;
import dev.kvant.torch.pickle.PickleValue;
import dev.kvant.torch.pickle.PickleWriter;
import dev.kvant.torch.tensor.TensorNode;
import dev.kvant.torch.tensor.TensorPickler;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where in a checkpoint the state dict is found. */
class CheckpointTest {

  private static final byte[] RECORD = {'r', 0, -1};

  private final TensorPickler pickler = TensorPickler.forPython();
  private final Path file;

  CheckpointTest(@TempDir Path folder) {
    this.file = folder.resolve("model.pth");
  }

  private PickleDict tensors(String... names) {
    var dict = new PickleDict();
    for (String name : names) {
      dict.put(name, tensor());
    }
    return dict;
  }

  private PickleObject tensor() {
    return pickler.node(TensorNode.contiguous(ElementType.INT8, "0", List.of(2L)));
  }

  private TorchModel open(PickleValue root) {
    try (var writer = ArchiveWriter.create(file, "model")) {
      writer.record("data.pkl", PickleWriter.write(root));
      writer.record("data/0", new byte[] {1, 2});
      writer.record(KvantRecord.NAME, RECORD);
      writer.finish();
    }
    return new TorchFormat().open(file);
  }

  private void assertFound(PickleValue root, String... names) {
    try (TorchModel model = open(root)) {
      assertThat(model.tensors().keySet()).containsExactly(names);
    }
  }

  private void assertRefused(PickleValue root, String message) {
    assertThatThrownBy(() -> open(root))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("model.pth")
        .hasMessageContaining(message);
  }

  @Test
  void the_dict_with_the_most_tensors_is_taken() {
    assertFound(
        new PickleDict()
            .put("model", tensors("small.weight"))
            .put("state_dict", tensors("b.weight", "a.weight"))
            .put("loss", tensor()),
        "b.weight",
        "a.weight");
    assertFound(
        new PickleDict()
            .put("state_dict", tensors("small.weight"))
            .put("model", tensors("b.weight", "a.weight")),
        "b.weight",
        "a.weight");
  }

  @Test
  void of_two_with_as_many_tensors_state_dict_is_taken() {
    assertFound(
        new PickleDict()
            .put("module", tensors("a.weight"))
            .put("model", tensors("b.weight"))
            .put("model_state_dict", tensors("c.weight"))
            .put("state_dict", tensors("d.weight")),
        "d.weight");
  }

  @Test
  void a_plain_state_dict_may_have_a_nested_dict_of_fewer_tensors() {
    assertFound(
        tensors("a.weight", "b.weight").put("model", tensors("c.weight")), "a.weight", "b.weight");
  }

  @Test
  void a_checkpoint_in_a_checkpoint_is_found() {
    assertFound(
        new PickleDict().put("model", new PickleDict().put("state_dict", tensors("a.weight"))),
        "a.weight");
  }

  @Test
  void the_prefix_of_data_parallel_stays() {
    assertFound(tensors("module.a.weight"), "module.a.weight");
  }

  @Test
  void a_call_of_ordered_dict_is_a_dict_and_keys_that_are_no_text_are_passed_over() {
    PickleObject dict = PickleObject.call(new PickleGlobal("collections", "OrderedDict"));
    dict.entries().put("a.weight", tensor());
    dict.entries().entries().put(new PickleInt(7), tensor());

    assertFound(dict, "a.weight");
  }

  @Test
  void tensors_elsewhere_are_pointed_to() {
    assertRefused(
        new PickleDict().put("ema", tensors("a.weight", "b.weight")).put("epoch", new PickleInt(3)),
        "there are tensors under 'ema' (2 tensors): save that entry alone");
  }

  @Test
  void a_list_is_no_state_dict() {
    assertRefused(
        PickleTuple.of(new PickleText("a")), "contains something else instead of a state dict");
  }

  @Test
  void a_name_of_a_million_modules_is_an_error() {
    assertRefused(tensors("a.".repeat(1_000_000) + "weight"), "name has 2000006 characters");
  }

  @Test
  void the_record_of_an_artifact_is_found_as_it_was_given() {
    try (TorchModel model = open(tensors("head.weight"))) {
      assertThat(model.record()).hasValueSatisfying(record -> assertThat(record).isEqualTo(RECORD));
    }
  }

  @Test
  void other_checkpoints_have_no_record() {
    try (TorchModel model = TestModels.open("plain.pth")) {
      assertThat(model.record()).isEmpty();
    }
  }

  @Test
  void a_model_can_be_closed_twice() {
    TorchModel model = open(tensors("head.weight"));
    model.close();
    model.close();

    assertThatThrownBy(() -> TestModels.content(TestModels.tensor(model, "head.weight")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("was closed");
  }
}
