package dev.kvant.torch;

import static dev.kvant.torch.TestModels.content;
import static dev.kvant.torch.TestModels.tensor;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.ModuleDescription;
import dev.kvant.torch.archive.ArchiveRecord;
import dev.kvant.torch.archive.ArchiveWriter;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleWriter;
import dev.kvant.torch.script.ScriptTree;
import dev.kvant.torch.tensor.DenseTensor;
import dev.kvant.torch.tensor.StoredTensor;
import dev.kvant.torch.tensor.TensorNode;
import dev.kvant.torch.tensor.TensorPickler;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written again is read as it was. */
class RoundTripTest {

  private final Path file;

  RoundTripTest(@TempDir Path folder) {
    this.file = folder.resolve("again.pt");
  }

  private static void assertSame(TorchModel again, TorchModel model) {
    assertThat(again.tensors().keySet()).containsExactlyElementsOf(model.tensors().keySet());
    for (String name : model.tensors().keySet()) {
      DenseTensor before = (DenseTensor) tensor(model, name);
      DenseTensor after = (DenseTensor) tensor(again, name);
      assertThat(after.elementType()).as(name).isEqualTo(before.elementType());
      assertThat(after.shape()).as(name).isEqualTo(before.shape());
      assertThat(after.strides()).as(name).isEqualTo(before.strides());
      assertThat(after.offset()).as(name).isEqualTo(before.offset());
      assertThat(content(after)).as(name).isEqualTo(content(before));
    }
    assertThat(again.tensorBytes()).isEqualTo(model.tensorBytes());
    assertThat(again.modules())
        .extracting(ModuleDescription::names)
        .containsExactlyElementsOf(model.modules().stream().map(ModuleDescription::names).toList());
  }

  @ParameterizedTest
  @ValueSource(strings = {"tied.pt", "tied_traced.pt", "mixed.pt", "mixed_traced.pt", "places.pt"})
  void an_archive_with_its_tree_written_anew(String name) {
    try (ScriptModel model = (ScriptModel) TestModels.open(name)) {
      try (var writer = ArchiveWriter.create(file, "again")) {
        for (ArchiveRecord record : model.archive().records()) {
          if (record.name().equals(ScriptTree.RECORD)) {
            writer.record(record.name(), PickleWriter.write(model.readTree().root()));
          } else {
            writer.copy(record);
          }
        }
        writer.finish();
      }
      try (TorchModel again = new TorchFormat().open(file)) {
        assertSame(again, model);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tied.pth", "mixed.pth", "strange.pth", "ordered.pth"})
  void a_checkpoint_made_of_described_tensors(String name) {
    try (TorchModel model = TestModels.open(name)) {
      var pickler = TensorPickler.forPython();
      PickleObject root = PickleObject.call(new PickleGlobal("collections", "OrderedDict"));
      Set<DenseTensor> tensors = new LinkedHashSet<>();
      model
          .tensors()
          .forEach(
              (key, stored) -> {
                DenseTensor tensor = (DenseTensor) stored;
                tensors.add(tensor);
                root.entries().put(key, pickler.node(node(tensor)));
              });
      try (var writer = ArchiveWriter.create(file, "again")) {
        writer.record("data.pkl", PickleWriter.write(root));
        List<String> written = new ArrayList<>();
        for (DenseTensor tensor : tensors) {
          if (!written.contains(tensor.storage().id())) {
            written.add(tensor.storage().id());
            ByteBuffer bytes = ByteBuffer.allocate((int) tensor.storage().bytes());
            tensor.storage().content().read(0, bytes);
            writer.record("data/" + tensor.storage().id(), bytes.array());
          }
        }
        writer.finish();
      }
      try (TorchModel again = new TorchFormat().open(file)) {
        assertSame(again, model);
      }
    }
  }

  private static TensorNode node(DenseTensor tensor) {
    return new TensorNode(
        tensor.elementType(),
        tensor.storage().id(),
        tensor.storage().bytes() / tensor.elementType().bytes(),
        tensor.offset(),
        tensor.shape(),
        tensor.strides(),
        false);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "resnet.pth",
        "resnet_scripted.pt",
        "resnet_traced.pt",
        "transformer.pth",
        "transformer_traced.pt"
      })
  void a_digit_classifier_has_the_same_tensors_in_every_format(String name) {
    Path models = Path.of("..", "..", "examples", "digits", "models");
    String network = name.replaceAll("[_.].*", "");
    try (TorchModel model = new TorchFormat().open(models.resolve(name));
        TorchModel reference = new TorchFormat().open(models.resolve(network + ".safetensors"))) {
      assertThat(model.tensors().keySet())
          .containsExactlyInAnyOrderElementsOf(reference.tensors().keySet());
      for (String key : reference.tensors().keySet()) {
        StoredTensor tensor = tensor(model, key);
        assertThat(tensor.elementType()).isEqualTo(tensor(reference, key).elementType());
        assertThat(content(tensor)).as(key).isEqualTo(content(tensor(reference, key)));
      }
    }
  }
}
