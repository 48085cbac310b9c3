package dev.kvant.torch;

import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.torch.tensor.StoredTensor;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Tensors by name, without the modules that they belong to: a PyTorch checkpoint or safetensors.
 *
 * <p>Modules follow from the names, their classes are inferred from names and shapes.
 *
 * @since 0.1.0
 */
public final class StateDictModel implements TorchModel {

  /** The id of PyTorch checkpoints. */
  public static final String PYTORCH = "pytorch";

  /** The id of safetensors files and folders. */
  public static final String SAFETENSORS = "safetensors";

  private final Path source;
  private final String format;
  private final Map<String, StoredTensor> stateDict;
  private final List<String> opaque;
  private final DescribedModules modules;
  private final Supplier<Optional<QuantizationPlan>> plan;
  private final List<Runnable> closing;

  StateDictModel(
      Path source,
      String format,
      Map<String, ? extends StoredTensor> stateDict,
      List<String> opaque,
      Supplier<Optional<QuantizationPlan>> plan,
      List<Runnable> closing) {
    this.source = source;
    this.format = format;
    this.stateDict = Collections.unmodifiableMap(new LinkedHashMap<>(stateDict));
    this.opaque = List.copyOf(opaque);
    this.modules = DescribedModules.of(ModuleInference.modules(source, stateDict));
    this.plan = plan;
    this.closing = List.copyOf(closing);
  }

  @Override
  public Path source() {
    return source;
  }

  @Override
  public String format() {
    return format;
  }

  @Override
  public List<ModuleDescription> modules() {
    return modules.named();
  }

  @Override
  public Optional<ModuleDescription> root() {
    return modules.root();
  }

  @Override
  public long tensorBytes() {
    return Descriptions.storageBytes(stateDict.values());
  }

  @Override
  public Map<String, StoredTensor> stateDict() {
    return stateDict;
  }

  @Override
  public List<String> opaqueEntries() {
    return opaque;
  }

  @Override
  public Optional<QuantizationPlan> plan() {
    return plan.get();
  }

  @Override
  public void close() {
    closing.forEach(Runnable::run);
  }
}
