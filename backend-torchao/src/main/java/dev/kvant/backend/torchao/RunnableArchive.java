package dev.kvant.backend.torchao;

import dev.kvant.api.ElementType;
import dev.kvant.backend.torchao.PlannedWeights.PlannedWeight;
import dev.kvant.backend.torchao.TorchaoOptions.Kernel;
import dev.kvant.torch.PackedLinear;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.ScriptRewriter;
import dev.kvant.torch.pickle.PickleInt;
import dev.kvant.torch.pickle.PickleNone;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.script.AttributeRead;
import dev.kvant.torch.script.LinearProducts;
import dev.kvant.torch.script.ScriptCode;
import dev.kvant.torch.script.ScriptModule;
import dev.kvant.torch.script.ScriptTree;
import dev.kvant.torch.script.ScriptType;
import dev.kvant.torch.tensor.ChannelLayout;
import dev.kvant.torch.tensor.StorageRecords;
import dev.kvant.torch.tensor.TensorNode;
import dev.kvant.torch.tensor.TensorPickler;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes a TorchScript archive again with 8-bit weights: other tensors, other code for the classes
 * that own them, all else as it is.
 */
final class RunnableArchive {

  private static final String ROOT = "quantized_model_torchao";
  private static final String BIAS = "bias";

  /** Why an input stays native although libtorch could quantize it. */
  static final String NO_PRODUCT = "its code has no product that could be replaced";

  /** Where the parts of a weight are. */
  private record Parts(String codes, String scales) {}

  private final TorchaoOptions options;
  private final Workspace workspace;
  private final ScriptRewriter rewriter;
  private final ScriptTree tree;
  private final ScriptCode code;
  private final StorageRecords storages;
  private final TensorPickler pickler = TensorPickler.forScript();
  private final Map<QuantizedWeight, Parts> partsByWeight = new HashMap<>();
  private final Map<QuantizedWeight, String> restoredByWeight = new HashMap<>();
  private final Map<String, String> notes = new LinkedHashMap<>();
  private final Set<String> restored = new LinkedHashSet<>();
  private final Set<String> packed = new LinkedHashSet<>();
  private final Map<QuantizedWeight, PickleObject> packedByWeight = new HashMap<>();
  private @Nullable PickleObject nothing;

  private RunnableArchive(ScriptModel model, TorchaoOptions options, Workspace workspace) {
    this.options = options;
    this.workspace = workspace;
    this.rewriter = new ScriptRewriter(model);
    this.tree = rewriter.tree();
    this.code = rewriter.code();
    this.storages = rewriter.storages();
  }

  /**
   * Writes the file.
   *
   * @param record makes the record of Kvant from what came out
   */
  static RunnableOutcome write(
      Path file,
      ScriptModel model,
      PlannedWeights weights,
      Function<RunnableOutcome, byte[]> record,
      TorchaoOptions options,
      Workspace workspace) {
    var archive = new RunnableArchive(model, options, workspace);
    archive.changeModules(weights);
    var outcome = new RunnableOutcome(archive.notes, archive.restored, archive.packed);
    archive.rewriter.write(file, ROOT, () -> record.apply(outcome), workspace::advance);
    return outcome;
  }

  /** How many bytes a weight has here. */
  static long bytes(QuantizedWeight weight) {
    return weight.weight().elements() + (long) weight.layout().channels() * Float.BYTES;
  }

  private void changeModules(PlannedWeights weights) {
    Map<ScriptModule, PlannedWeight> planned = new LinkedHashMap<>();
    for (PlannedWeight weight : weights.byModule().values()) {
      if (weight.isIn(TorchaoBackend.RUNNABLE)) {
        planned.put(tree.module(weight.module().name()).orElseThrow(), weight);
      }
    }
    for (Map.Entry<String, List<ScriptModule>> ofClass : tree.modulesByClass().entrySet()) {
      if (ofClass.getValue().stream().anyMatch(planned::containsKey)) {
        changeInstances(ofClass.getKey(), ofClass.getValue(), planned);
      }
    }
  }

  private void changeInstances(
      String className, List<ScriptModule> instances, Map<ScriptModule, PlannedWeight> planned) {
    Optional<ScriptType> type = code.type(className);
    Optional<String> obstacle = obstacle(className, type);
    if (type.isEmpty() || obstacle.isPresent()) {
      for (ScriptModule module : instances) {
        PlannedWeight weight = planned.get(module);
        if (weight != null) {
          restore(module, weight.weight());
          restored.add(weight.module().name());
          note(
              weight,
              "stays floating-point in %s, with the error of quantization: %s"
                  .formatted(TorchaoBackend.RUNNABLE, obstacle.orElse("")));
        }
      }
      return;
    }
    boolean anyQuantizesInput =
        instances.stream()
            .map(planned::get)
            .anyMatch(weight -> weight != null && quantizesInput(weight));
    LinearProducts products =
        anyQuantizesInput ? LinearProducts.of(code, type.get()).orElse(null) : null;
    List<PlannedWeight> quantized =
        instances.stream()
            .filter(planned::containsKey)
            .map(planned::get)
            .filter(weight -> products == null || !quantizesInput(weight))
            .toList();
    List<ElementType> originals =
        instances.stream()
            .filter(planned::containsKey)
            .map(planned::get)
            .map(weight -> weight.weight().weight().elementType())
            .distinct()
            .toList();
    var eightBit =
        new EightBitClass(
            type.get(),
            quantized.size() < instances.size(),
            originals,
            options.kernel(),
            quantized.stream().allMatch(RunnableArchive::isPackable),
            products);
    boolean isRead = !code.reads(type.get(), PlannedWeights.WEIGHT).isEmpty();
    eightBit.change(code);
    for (ScriptModule module : instances) {
      PlannedWeight weight = planned.get(module);
      PlannedWeight ofProduct =
          products != null && weight != null && quantizesInput(weight) ? weight : null;
      if (eightBit.isDynamic()) {
        module
            .attributes()
            .put(
                eightBit.packedAttribute(),
                ofProduct == null
                    ? PickleNone.NONE
                    : parameters(module, ofProduct.packed(), eightBit));
      }
      if (ofProduct != null) {
        module.attributes().put(PlannedWeights.WEIGHT, nothing());
        packed.add(ofProduct.module().name());
      }
      if (weight == null || ofProduct != null) {
        module.attributes().put(eightBit.scaleAttribute(), PickleNone.NONE);
      } else {
        quantize(module, weight.weight(), eightBit);
        if (!isRead) {
          note(weight, "no code of the model reads this weight by way of its module");
        }
        noteKernel(weight, eightBit);
        if (quantizesInput(weight)) {
          note(
              weight,
              "its input stays native in %s: %s".formatted(TorchaoBackend.RUNNABLE, NO_PRODUCT));
        }
      }
      if (eightBit.hasOriginalType()) {
        ElementType original =
            weight == null ? ElementType.FLOAT32 : weight.weight().weight().elementType();
        module
            .attributes()
            .put(
                eightBit.originalTypeAttribute(), PickleInt.of(EightBitClass.scalarType(original)));
      }
    }
  }

  private void noteKernel(PlannedWeight weight, EightBitClass eightBit) {
    if (options.kernel() != Kernel.INT8PACK) {
      return;
    }
    if (eightBit.multiplies() && !isPackable(weight)) {
      note(
          weight,
          "multiplied without int8pack, whose kernel needs a multiple of %d inputs"
              .formatted(EightBitClass.PACKED_COLUMNS));
    } else if (weight.kind() == ModuleKind.LINEAR && !eightBit.multiplies()) {
      note(weight, "multiplied without int8pack: its code has no linear() to replace");
    }
  }

  /** Why the weights of a class cannot become codes. */
  private Optional<String> obstacle(String className, Optional<ScriptType> type) {
    if (type.isEmpty()) {
      return Optional.of("the code of class %s is not readable".formatted(className));
    }
    List<String> untraced = code.untraced(PlannedWeights.WEIGHT);
    if (!untraced.isEmpty()) {
      return Optional.of("it is not clear whose weight is used in " + String.join(", ", untraced));
    }
    List<String> writers = code.writers(type.get(), PlannedWeights.WEIGHT);
    if (!writers.isEmpty()) {
      return Optional.of("it is changed as the model runs, in " + String.join(", ", writers));
    }
    for (AttributeRead read : code.reads(type.get(), PlannedWeights.WEIGHT)) {
      for (String changer : read.changers()) {
        // Rows are cut to the same length each time, in a copy as well.
        if (!changer.equals("torch.embedding_renorm_")) {
          return Optional.of(
              "it is changed as the model runs, by %s in %s".formatted(changer, read.reader()));
        }
      }
    }
    return Optional.empty();
  }

  private static boolean isPackable(PlannedWeight weight) {
    return weight.weight().layout().columns() % EightBitClass.PACKED_COLUMNS == 0;
  }

  private void quantize(ScriptModule module, QuantizedWeight weight, EightBitClass eightBit) {
    ChannelLayout layout = weight.layout();
    Parts parts =
        partsByWeight.computeIfAbsent(
            weight,
            key ->
                new Parts(
                    storages.add(
                        weight.weight().elements(), target -> weight.writeCodes(target, workspace)),
                    storages.add(
                        (long) layout.channels() * Float.BYTES,
                        target -> target.write(ByteBuffer.wrap(weight.scaleBytes())))));
    module
        .attributes()
        .put(
            PlannedWeights.WEIGHT,
            pickler.node(
                TensorNode.contiguous(weight.type().elementType(), parts.codes(), layout.shape())));
    module
        .attributes()
        .put(
            eightBit.scaleAttribute(),
            pickler.node(
                TensorNode.contiguous(ElementType.FLOAT32, parts.scales(), layout.scaleShape())));
  }

  private static boolean quantizesInput(PlannedWeight weight) {
    return weight.quantizesInput(TorchaoBackend.RUNNABLE);
  }

  private PickleObject parameters(
      ScriptModule module, QuantizedWeight weight, EightBitClass eightBit) {
    PickleObject codes =
        packedByWeight.computeIfAbsent(
            weight,
            key ->
                PackedLinear.weight(
                    rewriter,
                    storages.add(
                        weight.weight().elements(), target -> weight.writeCodes(target, workspace)),
                    weight.layout().shape(),
                    weight::scaleDoubles));
    return PackedLinear.parameters(
        rewriter,
        codes,
        eightBit.packsBias()
            ? module.attributes().get(BIAS).orElse(PickleNone.NONE)
            : PickleNone.NONE);
  }

  /** What stands in the place of a weight that is packed. */
  private PickleObject nothing() {
    if (nothing == null) {
      nothing =
          pickler.node(
              TensorNode.contiguous(
                  ElementType.FLOAT32, storages.add(0, target -> {}), List.of(0L)));
    }
    return nothing;
  }

  private void restore(ScriptModule module, QuantizedWeight weight) {
    String storage =
        restoredByWeight.computeIfAbsent(
            weight,
            key ->
                storages.add(
                    weight.weight().bytes(), target -> weight.writeRestored(target, workspace)));
    module
        .attributes()
        .put(
            PlannedWeights.WEIGHT,
            pickler.node(
                TensorNode.contiguous(
                    weight.weight().elementType(), storage, weight.layout().shape())));
  }

  private void note(PlannedWeight weight, String note) {
    notes.merge(weight.module().name(), note, "%s; %s"::formatted);
  }
}
