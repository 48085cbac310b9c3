package dev.kvant.torch.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.ElementType;
import dev.kvant.torch.pickle.PickleBool;
import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleInt;
import dev.kvant.torch.pickle.PickleNone;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleReference;
import dev.kvant.torch.pickle.PickleText;
import dev.kvant.torch.pickle.PickleTuple;
import dev.kvant.torch.pickle.PickleValue;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TensorNodeTest {

  private static final PickleGlobal PARAMETER =
      new PickleGlobal("torch._utils", "_rebuild_parameter");

  private static TensorNode view(ElementType type) {
    return new TensorNode(type, "7", 100, 3, List.of(4L, 5L), List.of(6L, 1L), true);
  }

  private static PickleObject with(PickleObject node, int index, PickleValue value) {
    List<PickleValue> arguments = new ArrayList<>(node.arguments().items());
    if (index == arguments.size()) {
      arguments.add(value);
    } else {
      arguments.set(index, value);
    }
    return PickleObject.call((PickleGlobal) node.callable(), arguments.toArray(PickleValue[]::new));
  }

  /** The types that PyTorch has. */
  static Stream<ElementType> elementTypes() {
    return ElementType.standard().stream().filter(type -> type.blockElements() == 1);
  }

  @ParameterizedTest
  @MethodSource("elementTypes")
  void a_tensor_of_any_type_comes_back_for_python_and_for_libtorch(ElementType type) {
    for (TensorPickler pickler : List.of(TensorPickler.forPython(), TensorPickler.forScript())) {
      assertThat(TensorNode.of(pickler.node(view(type)))).contains(view(type));
    }
  }

  @Test
  void python_gets_float8_as_bytes_with_a_dtype_and_libtorch_as_a_storage_of_its_own() {
    PickleObject python = TensorPickler.forPython().node(view(ElementType.FLOAT8_E4M3FN));
    PickleObject script = TensorPickler.forScript().node(view(ElementType.FLOAT8_E4M3FN));

    assertThat(python.isCallOf("torch._utils", "_rebuild_tensor_v3")).isTrue();
    assertThat(python.arguments().get(6)).isEqualTo(new PickleGlobal("torch", "float8_e4m3fn"));
    assertThat(storageType(python)).isEqualTo(new PickleGlobal("torch.storage", "UntypedStorage"));
    assertThat(script.isCallOf("torch._utils", "_rebuild_tensor_v2")).isTrue();
    assertThat(storageType(script)).isEqualTo(new PickleGlobal("torch", "Float8_e4m3fnStorage"));
  }

  private static PickleValue storageType(PickleObject node) {
    return ((PickleTuple) ((PickleReference) node.arguments().get(0)).id()).get(1);
  }

  @Test
  void tensors_of_one_storage_share_its_node() {
    var pickler = TensorPickler.forScript();
    PickleObject first = pickler.node(view(ElementType.FLOAT32));
    PickleObject second =
        pickler.node(TensorNode.contiguous(ElementType.FLOAT32, "7", List.of(100L)));
    PickleObject other =
        pickler.node(TensorNode.contiguous(ElementType.FLOAT32, "8", List.of(100L)));

    assertThat(second.arguments().get(0)).isSameAs(first.arguments().get(0));
    assertThat(other.arguments().get(0)).isNotSameAs(first.arguments().get(0));
  }

  @Test
  void a_contiguous_tensor_fills_its_storage() {
    TensorNode node = TensorNode.contiguous(ElementType.FLOAT16, "0", List.of(2L, 3L, 4L));

    assertThat(node.strides()).containsExactly(12L, 4L, 1L);
    assertThat(node.storageElements()).isEqualTo(24);
    assertThat(node.storageBytes()).isEqualTo(48);
  }

  @Test
  void a_parameter_is_the_tensor_in_it() {
    PickleObject tensor = TensorPickler.forPython().node(view(ElementType.FLOAT32));
    PickleObject parameter =
        PickleObject.call(PARAMETER, tensor, new PickleBool(false), new PickleDict());
    PickleObject withState =
        PickleObject.call(
            new PickleGlobal("torch._utils", "_rebuild_parameter_with_state"),
            tensor,
            new PickleBool(true),
            new PickleDict(),
            new PickleDict());

    assertThat(TensorNode.of(parameter).orElseThrow().requiresGrad()).isFalse();
    assertThat(TensorNode.of(withState)).contains(view(ElementType.FLOAT32));
  }

  @Test
  void parameters_nested_without_end_are_opaque() {
    PickleObject node = TensorPickler.forPython().node(view(ElementType.FLOAT32));
    for (int i = 0; i < 100_000; i++) {
      node = PickleObject.call(PARAMETER, node, new PickleBool(true));
    }

    assertThat(TensorNode.of(node)).isEmpty();
  }

  @Test
  void a_conjugated_or_negated_tensor_is_opaque_and_other_metadata_does_not_matter() {
    PickleObject node = TensorPickler.forPython().node(view(ElementType.FLOAT32));

    assertThat(TensorNode.of(with(node, 6, new PickleDict().put("neg", new PickleBool(true)))))
        .isEmpty();
    assertThat(TensorNode.of(with(node, 6, new PickleDict().put("neg", new PickleBool(false)))))
        .isPresent();
    assertThat(TensorNode.of(with(node, 6, PickleNone.NONE))).isPresent();
    assertThat(TensorNode.of(with(node, 6, new PickleInt(1)))).isEmpty();
  }

  @Test
  void a_shape_may_be_a_torch_size() {
    PickleObject node = TensorPickler.forPython().node(view(ElementType.FLOAT32));
    PickleObject size =
        PickleObject.call(new PickleGlobal("torch", "Size"), PickleTuple.ofInts(List.of(4L, 5L)));

    assertThat(TensorNode.of(with(node, 2, size))).contains(view(ElementType.FLOAT32));
  }

  @Test
  void what_is_no_dense_tensor_is_empty() {
    PickleObject node = TensorPickler.forPython().node(view(ElementType.FLOAT32));

    assertThat(TensorNode.of(PickleNone.NONE)).isEmpty();
    assertThat(TensorNode.of(PickleObject.call(new PickleGlobal("posix", "system")))).isEmpty();
    assertThat(TensorNode.of(PickleObject.call((PickleGlobal) node.callable()))).isEmpty();
    for (int i = 0; i < 4; i++) {
      assertThat(TensorNode.of(with(node, i, new PickleText("?")))).isEmpty();
    }
    assertThat(TensorNode.of(with(node, 2, PickleTuple.of(new PickleText("4"))))).isEmpty();
    assertThat(TensorNode.of(with(node, 0, new PickleReference(new PickleText("storage")))))
        .isEmpty();
    assertThat(
            TensorNode.of(PickleObject.instance((PickleGlobal) node.callable(), node.arguments())))
        .isEmpty();
  }

  @Test
  void any_rebuilt_tensor_is_known_as_one() {
    assertThat(
            TensorNode.isTensor(
                PickleObject.call(new PickleGlobal("torch._utils", "_rebuild_qtensor"))))
        .isTrue();
    assertThat(
            TensorNode.isTensor(
                PickleObject.call(new PickleGlobal("torch._tensor", "_rebuild_from_type_v2"))))
        .isTrue();
    assertThat(TensorNode.isTensor(PickleObject.call(new PickleGlobal("posix", "system"))))
        .isFalse();
    assertThat(TensorNode.isTensor(PickleNone.NONE)).isFalse();
  }
}
