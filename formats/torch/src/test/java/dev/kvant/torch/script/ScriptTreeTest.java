package dev.kvant.torch.script;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ModelFormatException;
import dev.kvant.torch.archive.ArchiveWriter;
import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleInt;
import dev.kvant.torch.pickle.PickleList;
import dev.kvant.torch.pickle.PickleNone;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleValue;
import dev.kvant.torch.pickle.PickleWriter;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScriptTreeTest {

  private static final String CODE =
      """
      class Root(Module):
        __parameters__ = []
        __buffers__ = []
        def forward(self) -> None:
          return None
      class Leaf(Module):
        __parameters__ = ["weight", "bias", ]
        __buffers__ = ["mean", ]
        weight : Tensor
        bias : NoneType
        mean : Tensor
      class Bare(Module):
        def forward(self) -> None:
          return None
      class Pair(NamedTuple):
        first : Tensor
      """;

  private final Path file;

  ScriptTreeTest(@TempDir Path folder) {
    this.file = folder.resolve("model.pt");
  }

  private static PickleObject object(String type, PickleDict attributes) {
    return PickleObject.instance(new PickleGlobal("__torch__.net", type), attributes);
  }

  private static PickleObject tensor() {
    return PickleObject.call(new PickleGlobal("torch._utils", "_rebuild_tensor_v2"));
  }

  private ScriptTree tree(PickleValue root) {
    return tree(PickleWriter.write(root));
  }

  private ScriptTree tree(byte[] pickle) {
    try (var writer = ArchiveWriter.create(file, "model")) {
      writer.record("data.pkl", pickle);
      writer.record("code/__torch__/net.py", CODE.getBytes(UTF_8));
      writer.finish();
    }
    try (TorchArchive archive = TorchArchive.open(file)) {
      return ScriptTree.read(archive);
    }
  }

  private void assertRefused(PickleValue root, String message) {
    assertThatThrownBy(() -> tree(root))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("model.pt")
        .hasMessageContaining(message);
  }

  @Test
  void modules_come_parents_first_in_the_order_of_the_attributes() {
    PickleObject inner =
        object("Root", new PickleDict().put("leaf", object("Leaf", new PickleDict())));

    ScriptTree tree =
        tree(
            object(
                "Root",
                new PickleDict().put("z", inner).put("a", object("Leaf", new PickleDict()))));

    assertThat(tree.places().keySet()).containsExactly("", "z", "z.leaf", "a");
    assertThat(tree.module("z.leaf").orElseThrow().type().simpleName()).isEqualTo("Leaf");
    assertThat(tree.module("z.leaf").orElseThrow().type().record())
        .isEqualTo("code/__torch__/net.py");
    assertThat(tree.module("b")).isEmpty();
  }

  @Test
  void an_instance_in_several_places_is_one_module_with_several_names() {
    PickleObject leaf = object("Leaf", new PickleDict());
    PickleObject inner = object("Root", new PickleDict().put("leaf", leaf));

    ScriptTree tree =
        tree(
            object(
                "Root", new PickleDict().put("one", inner).put("two", inner).put("three", leaf)));

    assertThat(tree.modules()).hasSize(3);
    assertThat(tree.module("three").orElseThrow().names())
        .containsExactly("one.leaf", "two.leaf", "three");
    assertThat(tree.module("two")).isEqualTo(tree.module("one"));
  }

  @Test
  void the_state_is_what_the_class_declares_and_the_archive_holds() {
    PickleObject weight = tensor();
    ScriptTree tree =
        tree(
            object(
                "Root",
                new PickleDict()
                    .put(
                        "leaf",
                        object(
                            "Leaf",
                            new PickleDict()
                                .put("mean", tensor())
                                .put("other", tensor())
                                .put("weight", weight)
                                .put("bias", PickleNone.NONE)))));

    assertThat(tree.module("leaf").orElseThrow().state()).containsOnlyKeys("weight", "mean");
    assertThat(tree.module("leaf").orElseThrow().state().keySet())
        .containsExactly("weight", "mean");
  }

  @Test
  void a_class_without_declarations_has_no_state() {
    ScriptTree tree = tree(object("Bare", new PickleDict().put("weight", tensor())));

    assertThat(tree.module("").orElseThrow().state()).isEmpty();
  }

  @Test
  void objects_of_other_kinds_are_no_modules() {
    ScriptTree tree =
        tree(
            object(
                "Root",
                new PickleDict()
                    .put("pair", object("Pair", new PickleDict()))
                    .put("unknown", object("Unknown", new PickleDict()))
                    .put(
                        "packed",
                        PickleObject.instance(
                            new PickleGlobal(
                                "__torch__.torch.classes.quantized", "LinearPackedParamsBase"),
                            new PickleList()))
                    .put("number", new PickleInt(3))));

    assertThat(tree.places()).containsOnlyKeys("");
  }

  @Test
  void the_tree_that_is_written_is_the_one_that_was_read() {
    PickleObject leaf = object("Leaf", new PickleDict().put("weight", tensor()));
    ScriptTree tree = tree(object("Root", new PickleDict().put("one", leaf).put("two", leaf)));
    byte[] once = PickleWriter.write(tree.root());

    assertThat(PickleWriter.write(tree(once).root())).isEqualTo(once);
  }

  @Test
  void a_root_that_is_no_module_is_an_error() {
    assertRefused(new PickleInt(3), "contains no TorchScript module");
    assertRefused(object("Pair", new PickleDict()), "contains no TorchScript module");
    assertRefused(tensor(), "contains no TorchScript module");
  }

  @Test
  void a_class_without_source_is_an_error() {
    assertRefused(
        PickleObject.instance(new PickleGlobal("__torch__.lost", "Net"), new PickleDict()),
        "has no record 'code/__torch__/lost.py'");
  }

  @Test
  void a_module_that_contains_itself_is_an_error() {
    // GLOBAL, EMPTY_TUPLE, NEWOBJ, BINPUT 0, EMPTY_DICT, 'a', BINGET 0, SETITEM, BUILD, STOP
    byte[] pickle = "c__torch__.net\nRoot\n)\u0081q\0}U\u0001ah\0sb.".getBytes(ISO_8859_1);

    assertThatThrownBy(() -> tree(pickle))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("module 'a' contains itself");
  }

  @Test
  void modules_nested_deeper_than_in_any_model_are_an_error() {
    PickleObject module = object("Root", new PickleDict());
    for (int i = 0; i < 20_000; i++) {
      module = object("Root", new PickleDict().put("a", module));
    }

    assertRefused(module, "nested deeper than 1000 levels");
  }

  @Test
  void a_tree_with_exponentially_many_places_is_an_error() {
    PickleObject module = object("Root", new PickleDict());
    for (int i = 0; i < 40; i++) {
      module = object("Root", new PickleDict().put("a", module).put("b", module));
    }

    assertRefused(module, "occur in more than 500000 places");
  }

  @Test
  void names_that_fill_the_memory_are_an_error() {
    PickleObject module = object("Root", new PickleDict());
    String name = "a".repeat(1_000_000);
    for (int i = 0; i < 100; i++) {
      module = object("Root", new PickleDict().put(name, module));
    }

    assertRefused(module, "is damaged");
  }

  @Test
  void each_read_gives_a_tree_of_its_own() {
    tree(object("Root", new PickleDict().put("leaf", object("Leaf", new PickleDict()))));
    try (TorchArchive archive = TorchArchive.open(file)) {
      ScriptTree changed = ScriptTree.read(archive);
      changed.module("leaf").orElseThrow().attributes().put("weight", tensor());

      assertThat(ScriptTree.read(archive).module("leaf").orElseThrow().state()).isEmpty();
      assertThat(changed.module("leaf").orElseThrow().state()).containsOnlyKeys("weight");
      assertThat(List.copyOf(changed.places().keySet())).containsExactly("", "leaf");
    }
  }
}
