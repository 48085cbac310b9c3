package dev.kvant.torch.tensor;

import dev.kvant.api.ElementType;
import dev.kvant.torch.pickle.PickleBool;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleInt;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleReference;
import dev.kvant.torch.pickle.PickleText;
import dev.kvant.torch.pickle.PickleTuple;
import dev.kvant.torch.pickle.PickleValue;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Makes the nodes of one pickle that describe tensors.
 *
 * <p>Tensors of one storage get one node for it: libtorch, unlike Python, lets tensors share a
 * storage only then.
 *
 * @since 0.1.0
 */
public final class TensorPickler {

  private static final PickleGlobal ORDERED_DICT = new PickleGlobal("collections", "OrderedDict");

  private final Map<List<Object>, PickleReference> storages = new HashMap<>();
  private final Function<ElementType, Optional<PickleGlobal>> storageTypes;

  private TensorPickler(Function<ElementType, Optional<PickleGlobal>> storageTypes) {
    this.storageTypes = storageTypes;
  }

  /**
   * For {@code torch.load}. Types without a storage class in Python, such as float8, are bytes with
   * a dtype beside.
   */
  public static TensorPickler forPython() {
    return new TensorPickler(TorchTypes::pythonStorage);
  }

  /** For TorchScript archives: libtorch has a storage class for every type, and needs it. */
  public static TensorPickler forScript() {
    return new TensorPickler(type -> Optional.of(TorchTypes.scriptStorage(type)));
  }

  /** Whether PyTorch has tensors of that element type. */
  public static boolean supports(ElementType elementType) {
    return TorchTypes.isKnown(elementType);
  }

  /** The node of a tensor. */
  public PickleObject node(TensorNode tensor) {
    PickleGlobal storageType =
        storageTypes.apply(tensor.elementType()).orElse(TorchTypes.UNTYPED_STORAGE);
    boolean typed = !storageType.equals(TorchTypes.UNTYPED_STORAGE);
    PickleReference storage =
        storages.computeIfAbsent(
            List.of(tensor.storage(), storageType),
            key ->
                new PickleReference(
                    PickleTuple.of(
                        new PickleText("storage"),
                        storageType,
                        new PickleText(tensor.storage()),
                        new PickleText("cpu"),
                        PickleInt.of(typed ? tensor.storageElements() : tensor.storageBytes()))));
    List<PickleValue> arguments =
        new ArrayList<>(
            List.of(
                storage,
                PickleInt.of(tensor.offset()),
                PickleTuple.ofInts(tensor.shape()),
                PickleTuple.ofInts(tensor.strides()),
                new PickleBool(tensor.requiresGrad()),
                PickleObject.call(ORDERED_DICT)));
    if (!typed) {
      arguments.add(TorchTypes.dtype(tensor.elementType()));
    }
    return PickleObject.call(
        new PickleGlobal(
            TensorNode.UTILS, typed ? TensorNode.REBUILD : TensorNode.REBUILD_WITH_DTYPE),
        arguments.toArray(PickleValue[]::new));
  }
}
