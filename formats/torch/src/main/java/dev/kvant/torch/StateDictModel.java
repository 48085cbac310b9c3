package dev.kvant.torch;

import dev.kvant.torch.tensor.StoredTensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Tensors by name, without the modules that they belong to: a PyTorch checkpoint or safetensors.
 *
 * <p>Modules are derived from the names, and their classes are inferred from names and shapes.
 *
 * @since 0.1.0
 */
public final class StateDictModel extends DescribedModel {

  /** The id of PyTorch checkpoints. */
  public static final String PYTORCH = "pytorch";

  /** The id of safetensors files and folders. */
  public static final String SAFETENSORS = "safetensors";

  private final KvantRecord record;
  private final Optional<String> quantizedBy;
  private final List<Runnable> closing;

  StateDictModel(
      Path source,
      String format,
      Map<String, ? extends StoredTensor> stateDict,
      List<String> opaque,
      Optional<String> quantizedBy,
      KvantRecord record,
      List<Runnable> closing) {
    this(source, format, stateDict, opaque, quantizedBy, ModelConfig.of(source), record, closing);
  }

  private StateDictModel(
      Path source,
      String format,
      Map<String, ? extends StoredTensor> stateDict,
      List<String> opaque,
      Optional<String> quantizedBy,
      ModelConfig config,
      KvantRecord record,
      List<Runnable> closing) {
    super(source, format, ModuleInference.modules(source, stateDict, config), stateDict, opaque);
    this.quantizedBy = quantizedBy.or(() -> QuantizedElsewhere.by(stateDict, opaque, config));
    this.record = record;
    this.closing = List.copyOf(closing);
  }

  @Override
  public Optional<byte[]> record() {
    return record.content();
  }

  @Override
  public OptionalLong recordOffset() {
    return record.offset();
  }

  @Override
  public Optional<String> quantizedBy() {
    return quantizedBy;
  }

  @Override
  public void close() {
    closing.forEach(Runnable::run);
  }
}
