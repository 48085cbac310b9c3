package dev.kvant.torch.tensor;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.Printable;
import dev.kvant.spi.ByteSource;
import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleInt;
import dev.kvant.torch.pickle.PickleList;
import dev.kvant.torch.pickle.PickleNone;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleTuple;
import dev.kvant.torch.pickle.PickleValue;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Finds the tensors in an archive that the nodes of its pickle describe.
 *
 * @since 0.1.0
 */
public final class ArchiveTensors {

  private static final PickleGlobal INT8_TENSOR =
      new PickleGlobal("torchao.quantization", "Int8Tensor");
  private static final PickleGlobal FLOAT8_TENSOR =
      new PickleGlobal("torchao.quantization", "Float8Tensor");

  private final Path path;
  private final Function<String, ByteSource> contents;
  private final Map<String, ByteSource> storages = new HashMap<>();

  /** For that archive. */
  public ArchiveTensors(TorchArchive archive) {
    this(archive.path(), key -> archive.record("data/" + key));
  }

  /**
   * For a file.
   *
   * @param path the file, for messages
   * @param contents gives the bytes of a storage by its name
   */
  ArchiveTensors(Path path, Function<String, ByteSource> contents) {
    this.path = path;
    this.contents = contents;
  }

  /**
   * The tensor of a node; empty if the node is not a tensor, or an opaque one.
   *
   * @param name its name, for messages
   * @throws ModelFormatException if the archive does not contain the tensor as described
   */
  public Optional<StoredTensor> find(String name, PickleValue node) {
    Optional<TensorNode> dense = TensorNode.of(node);
    if (dense.isPresent()) {
      return Optional.of(dense(name, dense.get()));
    }
    return quantized(name, node).map(tensor -> tensor);
  }

  private DenseTensor dense(String name, TensorNode node) {
    String what = describe(name);
    ByteSource record = storages.computeIfAbsent(node.storage(), contents);
    long bytes;
    try {
      bytes = node.storageBytes();
    } catch (ArithmeticException e) {
      bytes = Long.MAX_VALUE;
    }
    if (bytes < 0 || bytes > record.size()) {
      throw new ModelFormatException(
          "%s needs a storage of %d %s elements, but %s has %d bytes; the file is damaged"
              .formatted(what, node.storageElements(), node.elementType(), record, record.size()));
    }
    return DenseTensor.of(
        what,
        node.elementType(),
        node.shape(),
        node.strides(),
        node.offset(),
        new TensorStorage(node.storage(), record));
  }

  private String describe(String name) {
    return "tensor '%s' of %s".formatted(Printable.shortened(name), path);
  }

  /** A tensor of torchao: a wrapper around plain ones. */
  private Optional<QuantizedTensor> quantized(String name, PickleValue node) {
    if (!(node instanceof PickleObject object)
        || !object.isCallOf("torch._tensor", "_rebuild_from_type_v2")
        || object.arguments().size() != 4
        || !(object.arguments().get(2) instanceof PickleTuple wrapper)
        || wrapper.size() < 3
        || !(object.arguments().get(3) instanceof PickleDict state)) {
      return Optional.empty();
    }
    PickleValue type = object.arguments().get(1);
    if (!type.equals(INT8_TENSOR) && !type.equals(FLOAT8_TENSOR)) {
      return Optional.empty();
    }
    Optional<ElementType> original = TorchTypes.ofDtype(wrapper.get(1));
    Optional<DenseTensor> codes = part(name, state, "qdata");
    Optional<DenseTensor> scales = part(name, state, "scale");
    if (original.isEmpty()
        || codes.isEmpty()
        || scales.isEmpty()
        || !isByRow(state, codes.get().shape())
        || !isSymmetric(name, state, codes.get().shape().get(0))) {
      return Optional.empty();
    }
    return Optional.of(
        QuantizedTensor.of(describe(name), codes.get(), scales.get(), original.get()));
  }

  private Optional<DenseTensor> part(String name, PickleDict state, String key) {
    return state
        .get(key)
        .flatMap(TensorNode::of)
        .map(node -> dense("%s.%s".formatted(name, key), node));
  }

  private static boolean isByRow(PickleDict state, List<Long> shape) {
    if (!(state.get("block_size").orElse(PickleNone.NONE) instanceof PickleList blocks)
        || shape.size() < 2
        || blocks.items().size() != shape.size()
        || !blocks.items().get(0).equals(PickleInt.of(1))) {
      return false;
    }
    for (int i = 1; i < shape.size(); i++) {
      if (!blocks.items().get(i).equals(PickleInt.of(shape.get(i)))) {
        return false;
      }
    }
    return true;
  }

  /** Whether all zero points are 0, as in symmetric quantization. */
  private boolean isSymmetric(String name, PickleDict state, long rows) {
    Optional<DenseTensor> zeroPoints = part(name, state, "zero_point");
    if (zeroPoints.isEmpty()) {
      return true;
    }
    if (zeroPoints.get().elements() != rows) {
      return false;
    }
    ByteBuffer values = ByteBuffer.allocate(Math.toIntExact(zeroPoints.get().bytes()));
    zeroPoints.get().read(0, values);
    values.flip();
    while (values.hasRemaining()) {
      if (values.get() != 0) {
        return false;
      }
    }
    return true;
  }
}
