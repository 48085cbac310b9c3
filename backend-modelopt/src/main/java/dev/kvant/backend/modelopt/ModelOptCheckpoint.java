package dev.kvant.backend.modelopt;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModulePattern;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.torch.CheckpointWriter;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.ScriptRewriter;
import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.script.ScriptModule;
import dev.kvant.torch.script.ScriptTree;
import dev.kvant.torch.tensor.CopiedTensors;
import dev.kvant.torch.tensor.CopyProgress;
import dev.kvant.torch.tensor.StorageRecords;
import dev.kvant.torch.tensor.StoredTensor;
import dev.kvant.torch.tensor.TensorNode;
import dev.kvant.torch.tensor.TensorPickler;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Writes the file that {@code modelopt.torch.opt.restore} reads: the model's state dict as it is,
 * with the range of each quantizer added, and what the quantizers do.
 */
final class ModelOptCheckpoint {

  private static final String ROOT = "quantized_model_modelopt";

  /** Buffers that models of transformers have, but neither save nor load. */
  private static final Set<String> UNSAVED = Set.of("position_ids", "token_type_ids", "inv_freq");

  /**
   * What was left out.
   *
   * @param buffers the names of the buffers, in the model's order
   * @param unusedPatterns patterns of {@link ModelOptOptions#dropBuffers} that fit none
   */
  record Outcome(List<String> buffers, List<String> unusedPatterns) {
    Outcome {
      buffers = List.copyOf(buffers);
      unusedPatterns = List.copyOf(unusedPatterns);
    }
  }

  private final ScriptTree tree;
  private final Map<String, StoredTensor> stateDict;
  private final SharedModules shared;
  private final Map<ScriptModule, ModuleQuantization> quantizations = new HashMap<>();
  private final Map<ScriptModule, List<String>> quantizers;
  private final ModelOptOptions options;
  private final Set<ModulePattern> unusedPatterns = new LinkedHashSet<>();
  private final Set<ModulePattern> patterns = new LinkedHashSet<>();
  private final StorageRecords records = new StorageRecords(Set.of());
  private final TensorPickler pickler = TensorPickler.forPython();
  private final IdentityHashMap<OperandQuantization, String> ranges = new IdentityHashMap<>();

  private ModelOptCheckpoint(
      ScriptModel model, List<ModuleQuantization> modules, ModelOptOptions options) {
    var archive = new ScriptRewriter(model);
    this.tree = archive.tree();
    this.stateDict = model.tensors();
    this.options = options;
    this.shared = SharedModules.of(tree, archive.code(), stateDict);
    this.quantizers = InsertedQuantizers.of(tree, shared, options.version());
    options.dropBuffers().forEach(pattern -> patterns.add(ModulePattern.of(pattern)));
    unusedPatterns.addAll(patterns);
    for (ModuleQuantization module : modules) {
      ScriptModule instance = tree.module(module.module().name()).orElseThrow();
      quantizations.putIfAbsent(shared.first(instance), module);
    }
  }

  /**
   * Writes the file.
   *
   * @param modules the modules that are quantized; what ModelOpt cannot restore stays native
   * @param record the record of Kvant
   * @param block what tensors pass through
   * @param progress hears of every block
   */
  static Outcome write(
      Path file,
      ScriptModel model,
      List<ModuleQuantization> modules,
      ModelOptOptions options,
      Supplier<byte[]> record,
      ByteBuffer block,
      CopyProgress progress) {
    return new ModelOptCheckpoint(model, modules, options).write(file, record, block, progress);
  }

  private Outcome write(
      Path file, Supplier<byte[]> record, ByteBuffer block, CopyProgress progress) {
    Map<String, StoredTensor> kept = new LinkedHashMap<>(stateDict);
    Set<String> dropped = dropped();
    kept.keySet().removeAll(dropped);
    var copied = new CopiedTensors(kept.values(), records, block, progress);
    PickleObject stateDict = PickleObject.call(new PickleGlobal("collections", "OrderedDict"));
    PickleDict entries = stateDict.entries();
    tree.places()
        .forEach(
            (place, instance) -> {
              ScriptModule module = shared.first(instance);
              for (String local : instance.state().keySet()) {
                String name = qualified(place, local);
                StoredTensor tensor = kept.get(name);
                if (tensor != null) {
                  TensorNode node = copied.take(name, tensor);
                  boolean isTurned =
                      local.equals("weight")
                          && quantizers.containsKey(module)
                          && InsertedQuantizers.isTurnedByModelOpt(module);
                  entries.put(name, pickler.node(isTurned ? transposed(node) : node));
                }
              }
              for (String quantizer : quantizers.getOrDefault(module, List.of())) {
                quantization(module, quantizer)
                    .ifPresent(
                        range ->
                            entries.put(
                                qualified(place, quantizer) + "._amax",
                                pickler.node(range(range))));
              }
            });
    PickleDict content =
        new PickleDict().put("modelopt_state", state()).put("model_state_dict", stateDict);
    CheckpointWriter.write(file, ROOT, content, records, record);
    return new Outcome(
        List.copyOf(dropped), unusedPatterns.stream().map(ModulePattern::toString).toList());
  }

  private PickleDict state() {
    var state = new ModelOptState();
    quantizers.forEach(
        (module, names) -> {
          int outputAxis =
              ModuleKind.of(List.of(module.type().simpleName()))
                  .map(ModuleKind::outputAxis)
                  .orElse(0);
          for (String name : names) {
            state.add(qualified(module.name(), name), quantization(module, name), outputAxis);
          }
        });
    return state.pickle(options.version());
  }

  private Optional<OperandQuantization> quantization(ScriptModule module, String quantizer) {
    ModuleQuantization quantization = quantizations.get(module);
    if (quantization == null) {
      return Optional.empty();
    }
    Optional<OperandQuantization> operand =
        switch (quantizer) {
          case InsertedQuantizers.WEIGHT -> quantization.weights();
          case InsertedQuantizers.INPUT -> quantization.input();
          default -> Optional.empty();
        };
    return operand.filter(present -> present.grid() != Grid.FLOAT8_E5M2);
  }

  /** The tensor of a range, whose storage all names of a module share. */
  private TensorNode range(OperandQuantization quantization) {
    String storage =
        ranges.computeIfAbsent(
            quantization,
            key -> {
              ByteBuffer bytes =
                  ByteBuffer.allocate(key.amax().length * Float.BYTES)
                      .order(ByteOrder.LITTLE_ENDIAN);
              bytes.asFloatBuffer().put(key.amax());
              return records.add(bytes.capacity(), target -> target.write(bytes.duplicate()));
            });
    return TensorNode.contiguous(ElementType.FLOAT32, storage, quantization.shape());
  }

  /** The same elements with both dimensions exchanged. */
  private static TensorNode transposed(TensorNode matrix) {
    List<Long> shape = new ArrayList<>(matrix.shape());
    List<Long> strides = new ArrayList<>(matrix.strides());
    Collections.reverse(shape);
    Collections.reverse(strides);
    return new TensorNode(
        matrix.elementType(),
        matrix.storage(),
        matrix.storageElements(),
        matrix.offset(),
        shape,
        strides,
        matrix.requiresGrad());
  }

  /** The buffers that Python would refuse, because its model does not save them. */
  private Set<String> dropped() {
    Set<String> names = new LinkedHashSet<>();
    tree.places()
        .forEach(
            (place, module) -> {
              for (String buffer : module.type().buffers()) {
                String name = qualified(place, buffer);
                if (stateDict.containsKey(name) && isDropped(buffer, name)) {
                  names.add(name);
                }
              }
            });
    return names;
  }

  private boolean isDropped(String buffer, String name) {
    boolean isDropped = UNSAVED.contains(buffer);
    for (ModulePattern pattern : patterns) {
      if (pattern.matches(name)) {
        unusedPatterns.remove(pattern);
        isDropped = true;
      }
    }
    return isDropped;
  }

  private static String qualified(String module, String name) {
    return module.isEmpty() ? name : module + "." + name;
  }
}
