package dev.kvant.torch;

import dev.kvant.api.ModuleDescription;
import dev.kvant.torch.tensor.StoredTensor;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The description of a model whose file has been read. */
abstract sealed class DescribedModel implements TorchModel
    permits ExportedModel, ScriptModel, StateDictModel {

  private final Path source;
  private final String format;
  private final DescribedModules modules;
  private final Map<String, StoredTensor> stateDict;
  private final List<String> opaque;

  DescribedModel(
      Path source,
      String format,
      List<ModuleDescription> modules,
      Map<String, ? extends StoredTensor> stateDict,
      List<String> opaque) {
    this.source = source;
    this.format = format;
    this.modules = DescribedModules.of(modules);
    this.stateDict = Collections.unmodifiableMap(new LinkedHashMap<>(stateDict));
    this.opaque = List.copyOf(opaque);
  }

  @Override
  public final Path source() {
    return source;
  }

  @Override
  public final String format() {
    return format;
  }

  @Override
  public final List<ModuleDescription> modules() {
    return modules.named();
  }

  @Override
  public final Optional<ModuleDescription> root() {
    return modules.root();
  }

  @Override
  public final long tensorBytes() {
    return Descriptions.storageBytes(stateDict.values());
  }

  @Override
  public final Map<String, StoredTensor> tensors() {
    return stateDict;
  }

  @Override
  public final List<String> opaqueEntries() {
    return opaque;
  }
}
