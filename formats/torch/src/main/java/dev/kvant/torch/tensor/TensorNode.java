package dev.kvant.torch.tensor;

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
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * A dense tensor as described by a pickle: a view of a storage outside of the pickle.
 *
 * @param elementType the type of its elements
 * @param storage the name of the storage: its record is {@code data/} and that name
 * @param storageElements the number of elements of the storage
 * @param offset its start in the storage, in elements
 * @param shape its dimensions, outermost first
 * @param strides distances between neighbors in each dimension, in elements
 * @param requiresGrad whether training changes it
 * @since 0.1.0
 */
public record TensorNode(
    ElementType elementType,
    String storage,
    long storageElements,
    long offset,
    List<Long> shape,
    List<Long> strides,
    boolean requiresGrad) {

  static final String UTILS = "torch._utils";
  static final String REBUILD = "_rebuild_tensor_v2";
  static final String REBUILD_BEFORE_0_4 = "_rebuild_tensor";
  static final String REBUILD_WITH_DTYPE = "_rebuild_tensor_v3";
  private static final Set<String> PARAMETERS =
      Set.of("_rebuild_parameter", "_rebuild_parameter_with_state");

  public TensorNode {
    Objects.requireNonNull(elementType, "elementType");
    Objects.requireNonNull(storage, "storage");
    shape = List.copyOf(shape);
    strides = List.copyOf(strides);
  }

  /** A tensor that fills a storage of its own in row-major order. */
  public static TensorNode contiguous(ElementType elementType, String storage, List<Long> shape) {
    return new TensorNode(
        elementType,
        storage,
        shape.stream().reduce(1L, Math::multiplyExact),
        0,
        shape,
        DenseTensor.rowMajor(shape),
        false);
  }

  /** The size of the storage in bytes. */
  public long storageBytes() {
    return Math.multiplyExact(storageElements, elementType.bytes());
  }

  /** Whether that node is a tensor or parameter of any kind, of a supported type or not. */
  public static boolean isTensor(PickleValue node) {
    return node instanceof PickleObject object
        && object.callable() instanceof PickleGlobal function
        && (function.module().equals(UTILS) || function.module().equals("torch._tensor"))
        && function.name().startsWith("_rebuild_");
  }

  /**
   * The tensor that a node describes; empty if the node is not a tensor, or a tensor of another
   * kind: sparse, quantized by PyTorch itself, complex, conjugated.
   */
  public static Optional<TensorNode> of(PickleValue node) {
    if (!(node instanceof PickleObject object)
        || object.construction() != PickleObject.Construction.CALL
        || !(object.callable() instanceof PickleGlobal function)
        || !function.module().equals(UTILS)) {
      return Optional.empty();
    }
    List<PickleValue> arguments = object.arguments().items();
    if (PARAMETERS.contains(function.name()) && arguments.size() >= 2) {
      // A parameter of a parameter is never written; not searching deeper refuses hostile nests.
      boolean requiresGrad = arguments.get(1).equals(new PickleBool(true));
      return arguments.get(0) instanceof PickleObject tensor
              && tensor.callable() instanceof PickleGlobal inner
              && !PARAMETERS.contains(inner.name())
          ? of(tensor).map(data -> data.withRequiresGrad(requiresGrad))
          : Optional.empty();
    }
    boolean typed = function.name().equals(REBUILD) && arguments.size() >= 6;
    boolean untyped = function.name().equals(REBUILD_WITH_DTYPE) && arguments.size() >= 7;
    int metadata = untyped ? 7 : 6;
    boolean old = function.name().equals(REBUILD_BEFORE_0_4) && arguments.size() == 4;
    if ((!typed && !untyped && !old)
        || (arguments.size() > metadata && !isPlain(arguments.get(metadata)))
        || !(arguments.get(0) instanceof PickleReference reference)) {
      return Optional.empty();
    }
    return view(reference, arguments, untyped);
  }

  /** Whether a tensor is neither conjugated nor negated, by its metadata. */
  private static boolean isPlain(PickleValue metadata) {
    return metadata instanceof PickleNone
        || (metadata instanceof PickleDict dict
            && dict.entries().values().stream().noneMatch(new PickleBool(true)::equals));
  }

  private static Optional<TensorNode> view(
      PickleReference reference, List<PickleValue> arguments, boolean untyped) {
    if (!(reference.id() instanceof PickleTuple id)
        || id.size() < 5
        || !id.get(0).equals(new PickleText("storage"))
        || !(id.get(1) instanceof PickleGlobal storageType)
        || !(id.get(2) instanceof PickleText key)
        || !(id.get(4) instanceof PickleInt extent)
        || !(arguments.get(1) instanceof PickleInt offset)) {
      return Optional.empty();
    }
    Optional<Long> start = start(id);
    Optional<List<Long>> shape = integers(arguments.get(2));
    Optional<List<Long>> strides = integers(arguments.get(3));
    Optional<ElementType> type =
        untyped ? TorchTypes.ofDtype(arguments.get(6)) : TorchTypes.ofStorage(storageType);
    if (type.isEmpty() || shape.isEmpty() || strides.isEmpty() || start.isEmpty()) {
      return Optional.empty();
    }
    long elements =
        storageType.equals(TorchTypes.UNTYPED_STORAGE)
            ? extent.value() / type.get().bytes()
            : extent.value();
    return Optional.of(
        new TensorNode(
            type.get(),
            key.value(),
            elements,
            sum(start.get(), offset.value()),
            shape.get(),
            strides.get(),
            arguments.size() > 4 && arguments.get(4).equals(new PickleBool(true))));
  }

  /**
   * Where a storage starts within the one that it is a part of, in elements. Torch before version
   * 0.4 wrote such parts as name, start and number of elements. Empty if it is something else.
   */
  private static Optional<Long> start(PickleTuple id) {
    if (id.size() < 6 || id.get(5) instanceof PickleNone) {
      return Optional.of(0L);
    }
    return id.get(5) instanceof PickleTuple part
            && part.size() == 3
            && part.get(1) instanceof PickleInt start
            && start.value() >= 0
        ? Optional.of(start.value())
        : Optional.empty();
  }

  /** The sum, or a number that is outside every storage. */
  private static long sum(long start, long offset) {
    long sum = start + offset;
    return offset >= 0 && sum < 0 ? Long.MAX_VALUE : sum;
  }

  private static Optional<List<Long>> integers(PickleValue value) {
    PickleValue numbers = value;
    if (value instanceof PickleObject size
        && size.isCallOf("torch", "Size")
        && size.arguments().size() == 1) {
      numbers = size.arguments().get(0);
    }
    if (!(numbers instanceof PickleTuple tuple)) {
      return Optional.empty();
    }
    List<Long> integers = new ArrayList<>();
    for (PickleValue item : tuple.items()) {
      if (!(item instanceof PickleInt integer)) {
        return Optional.empty();
      }
      integers.add(integer.value());
    }
    return Optional.of(integers);
  }

  private TensorNode withRequiresGrad(boolean required) {
    return new TensorNode(elementType, storage, storageElements, offset, shape, strides, required);
  }
}
