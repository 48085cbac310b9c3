package dev.kvant.backend.modelopt;

import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.ScriptRewriter;
import dev.kvant.torch.pickle.PickleValue;
import dev.kvant.torch.runtime.TorchScriptRunner;
import dev.kvant.torch.script.ScriptModule;
import dev.kvant.torch.script.ScriptType;
import dev.kvant.torch.tensor.DenseTensor;
import dev.kvant.torch.tensor.StorageReferences;
import dev.kvant.torch.tensor.TensorNode;
import dev.kvant.torch.tensor.TensorPickler;
import dev.kvant.torch.tensor.TensorStorage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Leaves storages out of a copy of an archive, and adds a method to the copy that takes them from
 * the memory of who runs it.
 *
 * <p>So a copy whose weights are those of the model needs neither space nor time for them. Left out
 * is what nothing but parameters and buffers refers to: these are empty in the copy until its
 * method was called.
 */
final class LeftOutStorages {

  /** What is smaller is not worth a line of code. */
  private static final int MIN_BYTES = 1 << 10;

  /** Where a tensor was. */
  private record Place(ScriptModule module, String attribute, PickleValue value, TensorNode node) {}

  private final ScriptModel model;
  private final ScriptRewriter rewriter;
  private final TensorPickler pickler;
  private final ModulePlaces reachable;
  private final Map<String, List<Place>> places = new LinkedHashMap<>();

  private LeftOutStorages(ScriptModel model, ScriptRewriter rewriter, TensorPickler pickler) {
    this.model = model;
    this.rewriter = rewriter;
    this.pickler = pickler;
    this.reachable = new ModulePlaces(rewriter.tree(), rewriter.code());
  }

  /**
   * What the copy asks for.
   *
   * @param method a method of the root module that takes a list of tensors
   * @param contents the storages, in that order
   */
  record Claim(String method, List<DenseTensor> contents) {

    Claim {
      contents = List.copyOf(contents);
    }
  }

  /**
   * Leaves out what can be.
   *
   * @param rewriter makes the copy
   * @param pickler makes nodes of the copy's pickle
   */
  static Claim claim(ScriptModel model, ScriptRewriter rewriter, TensorPickler pickler) {
    var left = new LeftOutStorages(model, rewriter, pickler);
    rewriter.tree().modules().forEach(left::find);
    left.places.values().stream().flatMap(List::stream).forEach(left::empty);
    left.putBack(StorageReferences.of(rewriter.tree().root()));
    return left.claim();
  }

  private void find(ScriptModule module) {
    if (!reachable.isReachable(module)) {
      return;
    }
    Map<String, String> types =
        rewriter
            .code()
            .type(module.type().name().qualifiedName())
            .map(ScriptType::attributes)
            .orElse(Map.of());
    module
        .state()
        .forEach(
            (attribute, value) ->
                TensorNode.of(value)
                    .filter(node -> "Tensor".equals(types.get(attribute)))
                    .filter(LeftOutStorages::fits)
                    .ifPresent(
                        node ->
                            places
                                .computeIfAbsent(node.storage(), key -> new ArrayList<>())
                                .add(new Place(module, attribute, value, node))));
  }

  private static boolean fits(TensorNode node) {
    return node.storageBytes() >= MIN_BYTES
        && node.storageBytes() <= Integer.MAX_VALUE
        && TorchScriptRunner.takes(node.elementType());
  }

  private void empty(Place place) {
    String storage = rewriter.storages().add(0, target -> {});
    place
        .module()
        .attributes()
        .put(
            place.attribute(),
            pickler.node(TensorNode.contiguous(place.node().elementType(), storage, List.of(0L))));
  }

  /** What others refer to as well stays in the copy. */
  private void putBack(Set<String> referenced) {
    places.entrySet().stream()
        .filter(storage -> referenced.contains(storage.getKey()))
        .map(Map.Entry::getValue)
        .flatMap(Collection::stream)
        .forEach(place -> place.module().attributes().put(place.attribute(), place.value()));
    places.keySet().removeAll(referenced);
  }

  private Claim claim() {
    ScriptType root = rewriter.rootType();
    String method = root.unusedName("take_storages");
    List<DenseTensor> contents = new ArrayList<>();
    var body = new StringBuilder();
    places.forEach(
        (storage, tensors) -> {
          tensors.forEach(place -> body.append(filling(place, contents.size())));
          contents.add(content(tensors.get(0).node()));
        });
    if (!contents.isEmpty()) {
      root.addMethod(method, "storages: List[Tensor]", "NoneType", body + "return None\n");
    }
    return new Claim(method, contents);
  }

  private DenseTensor content(TensorNode node) {
    return DenseTensor.contiguous(
        "storage '%s' of %s".formatted(node.storage(), model.source()),
        node.elementType(),
        List.of(node.storageElements()),
        new TensorStorage(node.storage(), model.archive().record("data/" + node.storage())));
  }

  /** The empty tensor tells the device where the storage must be. */
  private static String filling(Place place, int index) {
    String tensor = ModulePlaces.of(place.module(), place.attribute());
    return """
    storage = torch.to(storages[%2$s], ops.prim.device(%1$s))
    _ = torch.set_(%1$s, torch.as_strided(storage, %3$s, %4$s, %5$s))
    """
        .formatted(
            tensor,
            index,
            list(place.node().shape()),
            list(place.node().strides()),
            place.node().offset());
  }

  private static String list(List<Long> numbers) {
    return numbers.stream().map(String::valueOf).collect(Collectors.joining(", ", "[", "]"));
  }
}
