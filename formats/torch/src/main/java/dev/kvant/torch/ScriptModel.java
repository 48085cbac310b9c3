package dev.kvant.torch;

import dev.kvant.api.InputDescription;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.TensorDescription;
import dev.kvant.torch.archive.ArchiveRecord;
import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.pickle.PickleValue;
import dev.kvant.torch.script.ForwardParameters;
import dev.kvant.torch.script.ScriptClass;
import dev.kvant.torch.script.ScriptCode;
import dev.kvant.torch.script.ScriptModule;
import dev.kvant.torch.script.ScriptParameter;
import dev.kvant.torch.script.ScriptTree;
import dev.kvant.torch.tensor.ArchiveTensors;
import dev.kvant.torch.tensor.StoredTensor;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A TorchScript archive, scripted or traced.
 *
 * <p>Its state dict contains the tensors that {@code __parameters__} and {@code __buffers__} of the
 * classes name. A module that occurs several times is one module with several names.
 *
 * @since 0.1.0
 */
public final class ScriptModel extends DescribedModel {

  /** The id of the format. */
  public static final String FORMAT = "torchscript";

  private static final int MAX_CODE = 64 << 20;

  private final TorchArchive archive;
  private final Optional<String> quantizedBy;
  private final ScriptClass root;
  private @Nullable ScriptCode code;

  private ScriptModel(
      TorchArchive archive,
      ScriptClass root,
      List<ModuleDescription> modules,
      Map<String, StoredTensor> stateDict,
      List<String> opaque,
      Optional<String> quantizedBy) {
    super(archive.path(), FORMAT, modules, stateDict, opaque);
    this.archive = archive;
    this.quantizedBy = quantizedBy;
    this.root = root;
  }

  /** The model owns the archive and closes it. */
  static ScriptModel of(TorchArchive archive) {
    ScriptTree tree = ScriptTree.read(archive);
    var tensors = new ArchiveTensors(archive);
    Map<ScriptModule, Map<String, StoredTensor>> byModule = new LinkedHashMap<>();
    Map<String, StoredTensor> stateDict = new LinkedHashMap<>();
    List<String> opaque = new ArrayList<>();
    tree.places()
        .forEach(
            (place, module) -> {
              Map<String, StoredTensor> own =
                  byModule.computeIfAbsent(module, key -> tensors(key, tensors));
              for (String local : module.state().keySet()) {
                String name = place.isEmpty() ? local : place + "." + local;
                if (own.containsKey(local)) {
                  stateDict.put(name, own.get(local));
                } else {
                  opaque.add(name);
                }
              }
            });
    Optional<String> quantizedBy =
        QuantizedElsewhere.by(tree)
            .or(() -> QuantizedElsewhere.by(stateDict, opaque, ModelConfig.NONE));
    if (stateDict.isEmpty() && quantizedBy.isEmpty()) {
      throw withoutTensors(archive);
    }
    List<ModuleDescription> modules = new ArrayList<>();
    byModule.forEach((module, own) -> modules.add(describe(module, own)));
    return new ScriptModel(
        archive, tree.modules().get(0).type(), modules, stateDict, opaque, quantizedBy);
  }

  private static Map<String, StoredTensor> tensors(ScriptModule module, ArchiveTensors tensors) {
    Map<String, StoredTensor> own = new LinkedHashMap<>();
    for (Map.Entry<String, PickleValue> entry : module.state().entrySet()) {
      String name = module.name().isEmpty() ? entry.getKey() : module.name() + "." + entry.getKey();
      tensors.find(name, entry.getValue()).ifPresent(tensor -> own.put(entry.getKey(), tensor));
    }
    return own;
  }

  private static ModuleDescription describe(
      ScriptModule module, Map<String, StoredTensor> tensors) {
    List<TensorDescription> descriptions = new ArrayList<>();
    tensors.forEach((name, tensor) -> descriptions.add(Descriptions.of(name, tensor)));
    return new ModuleDescription(
        module.names(), Descriptions.types(module.type().simpleName()), false, descriptions);
  }

  private static ModelFormatException withoutTensors(TorchArchive archive) {
    boolean frozen =
        archive.records().stream().anyMatch(record -> record.name().matches("constants/\\d+"));
    return new ModelFormatException(
        frozen
            ? "%s is frozen TorchScript: its weights are constants of the code and belong to no module; save it before torch.jit.freeze or torch.jit.optimize_for_inference"
                .formatted(archive.path())
            : "%s is a TorchScript module without parameters; there is nothing to quantize"
                .formatted(archive.path()));
  }

  /** The tensors that {@code forward} takes; an archive declares neither types nor shapes. */
  @Override
  public List<InputDescription> inputs() {
    return ForwardParameters.read(archive, root).orElse(List.of()).stream()
        .filter(ScriptParameter::isTensor)
        .map(parameter -> new InputDescription(parameter.name(), null, null, parameter.optional()))
        .toList();
  }

  @Override
  public Optional<byte[]> record() {
    return KvantRecord.of(archive).content();
  }

  @Override
  public OptionalLong recordOffset() {
    return KvantRecord.of(archive).offset();
  }

  @Override
  public Optional<String> quantizedBy() {
    return quantizedBy;
  }

  /** The archive, for copying its records. */
  public TorchArchive archive() {
    return archive;
  }

  /** A new copy of the module tree, for the caller to change and to write. */
  public ScriptTree readTree() {
    return ScriptTree.read(archive);
  }

  /** A new copy of the code, for the caller to change. The archive's texts are read only once. */
  public synchronized ScriptCode readCode() {
    ScriptCode read = code;
    if (read == null) {
      Map<String, String> texts = new LinkedHashMap<>();
      for (ArchiveRecord record : archive.records()) {
        if (record.name().startsWith("code/") && record.name().endsWith(".py")) {
          texts.put(record.name(), new String(record.readAll(MAX_CODE), StandardCharsets.UTF_8));
        }
      }
      read = ScriptCode.parse(texts);
      code = read;
    }
    return read.unchanged();
  }

  @Override
  public void close() {
    archive.close();
  }
}
