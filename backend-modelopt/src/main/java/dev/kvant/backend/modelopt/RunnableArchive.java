package dev.kvant.backend.modelopt;

import dev.kvant.api.ElementType;
import dev.kvant.backend.modelopt.ModelOptOptions.Target;
import dev.kvant.numerics.FakeQuantizer;
import dev.kvant.numerics.QuantizationError;
import dev.kvant.numerics.QuantizedType;
import dev.kvant.torch.PackedLinear;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.ScriptRewriter;
import dev.kvant.torch.TorchModel;
import dev.kvant.torch.pickle.PickleNone;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleValue;
import dev.kvant.torch.script.ForwardMethod;
import dev.kvant.torch.script.LinearProducts;
import dev.kvant.torch.script.ScriptAttribute;
import dev.kvant.torch.script.ScriptModule;
import dev.kvant.torch.script.ScriptType;
import dev.kvant.torch.tensor.CopyProgress;
import dev.kvant.torch.tensor.StoredTensor;
import dev.kvant.torch.tensor.TensorNode;
import dev.kvant.torch.tensor.TensorPickler;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes a TorchScript archive again in which planned modules quantize: weights hold the values
 * that their codes stand for, inputs are rounded in the code, and for {@link Target#CPU} Linear
 * modules hold and multiply integers.
 */
final class RunnableArchive {

  private static final String ROOT = "quantized_model_modelopt";
  private static final String WEIGHT = "weight";
  private static final String BIAS = "bias";

  /**
   * What came out.
   *
   * @param notes what is worth knowing about modules, by name
   * @param errors how far quantized weights are from the weights, by the module's name
   * @param bytes the sizes of weights that take another number of bytes than before, by name
   */
  record Outcome(
      Map<String, String> notes, Map<String, QuantizationError> errors, Map<String, Long> bytes) {

    Outcome {
      notes = Map.copyOf(notes);
      errors = Map.copyOf(errors);
      bytes = Map.copyOf(bytes);
    }
  }

  private record Key(String weight, OperandQuantization quantization) {}

  private final ScriptModel model;
  private final Target target;
  private final CopyProgress progress;
  private final ScriptRewriter rewriter;
  private final TensorPickler pickler = TensorPickler.forScript();
  private final Map<ScriptModule, ModuleQuantization> quantizations = new LinkedHashMap<>();
  private final Map<Key, RoundedWeight> weights = new HashMap<>();
  private final Map<RoundedWeight, PickleObject> values = new HashMap<>();
  private final Map<Float, PickleObject> scalars = new HashMap<>();
  private final Map<String, RoundedWeight> weightByModule = new LinkedHashMap<>();
  private final Map<String, Long> bytes = new LinkedHashMap<>();
  private final Map<String, String> notes = new LinkedHashMap<>();
  private @Nullable PickleObject nothing;

  private RunnableArchive(ScriptModel model, Target target, CopyProgress progress) {
    this.model = model;
    this.target = target;
    this.progress = progress;
    this.rewriter = new ScriptRewriter(model);
  }

  /**
   * Writes the file.
   *
   * @param record makes the record of Kvant from what came out
   */
  static Outcome write(
      Path file,
      ScriptModel model,
      List<ModuleQuantization> modules,
      Target target,
      Function<Outcome, byte[]> record,
      CopyProgress progress) {
    var archive = new RunnableArchive(model, target, progress);
    archive.change(modules);
    archive.rewriter.write(file, ROOT, () -> record.apply(archive.outcome()), progress);
    return archive.outcome();
  }

  private Outcome outcome() {
    Map<String, QuantizationError> errors = new LinkedHashMap<>();
    weightByModule.forEach(
        (name, weight) -> {
          QuantizationError error = weight.error();
          if (error != null) {
            errors.put(name, error);
          }
        });
    return new Outcome(notes, errors, bytes);
  }

  private void change(List<ModuleQuantization> modules) {
    for (ModuleQuantization module : modules) {
      quantizations.put(rewriter.tree().module(module.module().name()).orElseThrow(), module);
    }
    rewriter
        .tree()
        .modulesByClass()
        .forEach(
            (name, ofClass) -> {
              Optional<ScriptType> type = rewriter.code().type(name);
              if (type.isPresent()
                  && ModuleKind.of(List.of(ofClass.get(0).type().simpleName())).isPresent()) {
                takeOwnWeight(type.get(), ofClass);
              }
              if (ofClass.stream().anyMatch(quantizations::containsKey)) {
                change(ofClass, type);
              }
            });
  }

  /**
   * A traced module that shares its weight with another is given that one's; but only one of them
   * may be quantized. A weight that is computed elsewhere, as by weight_norm, is given too, and
   * stays what it is.
   */
  private void takeOwnWeight(ScriptType type, List<ScriptModule> instances) {
    for (ForwardMethod method : ForwardMethod.of(type)) {
      method
          .weight()
          .filter(weight -> isTied(type, instances, method, weight))
          .ifPresent(
              weight ->
                  type.insertFirst(
                      method.name(), "%s = %s.%s".formatted(weight, method.self(), WEIGHT)));
    }
  }

  /** Whether all that a parameter is given is the one weight that the instances have. */
  private boolean isTied(
      ScriptType type, List<ScriptModule> instances, ForwardMethod method, String weight) {
    List<ScriptModule> sharing = new ArrayList<>(instances);
    Optional<Set<ScriptAttribute>> given = rewriter.code().given(type, method.name(), weight);
    for (ScriptAttribute attribute : given.orElse(Set.of())) {
      if (!attribute.name().equals(WEIGHT)) {
        return false;
      }
      sharing.addAll(rewriter.tree().modulesByClass().getOrDefault(attribute.type(), List.of()));
    }
    Set<String> tensors = new HashSet<>();
    for (ScriptModule module : sharing) {
      tensors.add(
          model.tensor(module.name(), WEIGHT).map(StoredTensor::identity).orElse("no tensor"));
    }
    return given.isPresent() && tensors.size() == 1 && !tensors.contains("no tensor");
  }

  private void change(List<ScriptModule> instances, Optional<ScriptType> type) {
    List<ForwardMethod> methods = type.map(ForwardMethod::of).orElse(List.of());
    Optional<PackedLinearClass> packed = Optional.empty();
    Optional<RoundedInputClass> rounded = Optional.empty();
    if (type.isPresent() && !methods.isEmpty()) {
      if (target == Target.CPU && instances.stream().anyMatch(this::multipliesIntegers)) {
        packed =
            LinearProducts.of(rewriter.code(), type.get())
                .map(products -> PackedLinearClass.change(type.get(), products));
      }
      boolean isPacked = packed.isPresent();
      if (instances.stream()
          .anyMatch(module -> roundsInput(module) && !(isPacked && multipliesIntegers(module)))) {
        rounded = Optional.of(RoundedInputClass.change(type.get(), methods));
      }
    }
    for (ScriptModule module : instances) {
      change(module, type, packed, rounded);
    }
  }

  private void change(
      ScriptModule module,
      Optional<ScriptType> type,
      Optional<PackedLinearClass> packed,
      Optional<RoundedInputClass> rounded) {
    ModuleQuantization quantization = quantizations.get(module);
    boolean isPacked = packed.isPresent() && multipliesIntegers(module);
    packed
        .filter(ofClass -> !isPacked)
        .ifPresent(ofClass -> ofClass.initializeNative(module.attributes()));
    rounded.ifPresent(
        ofClass ->
            ofClass.initialize(
                module.attributes(),
                quantization == null || isPacked ? Optional.empty() : quantization.input(),
                this::scalar));
    if (quantization == null) {
      return;
    }
    Optional<RoundedWeight> weight = quantization.weights().map(range -> weight(module, range));
    weight.ifPresent(content -> weightByModule.put(quantization.module().name(), content));
    if (isPacked) {
      pack(module, packed.orElseThrow(), quantization, weight.orElseThrow());
    } else {
      weight.ifPresent(
          content ->
              module
                  .attributes()
                  .put(WEIGHT, values.computeIfAbsent(content, this::announceValues)));
      noteSimulation(quantization);
    }
    if (quantization.weights().isPresent()) {
      noteOtherReaders(quantization, type);
    }
  }

  private void noteSimulation(ModuleQuantization quantization) {
    if (target == Target.CPU) {
      note(
          quantization,
          "multiplied in floating point in %s: %s"
              .formatted(ModelOptBackend.RUNNABLE, whyNotIntegers(quantization)));
    }
  }

  private String whyNotIntegers(ModuleQuantization quantization) {
    if (ModuleKind.of(quantization.module().types()).orElseThrow() != ModuleKind.LINEAR) {
      return "libtorch has integer arithmetic for Linear alone";
    }
    if (!isInt8(quantization.weights()) || !isInt8(quantization.input())) {
      return "integer arithmetic takes int8 weights and an int8 input";
    }
    if (!weight(quantization).elementType().equals(ElementType.FLOAT32)) {
      return "integer arithmetic gives float32, and its weight is "
          + weight(quantization).elementType();
    }
    return quantization.input().orElseThrow().amax()[0] > 0
        ? "its code has no product that could be replaced"
        : "its input was always 0";
  }

  private void noteOtherReaders(ModuleQuantization quantization, Optional<ScriptType> type) {
    String name = type.map(ScriptType::name).orElse("");
    List<String> readers =
        type.map(
                known ->
                    rewriter.code().reads(known, WEIGHT).stream()
                        .map(read -> read.reader())
                        .filter(reader -> !reader.startsWith(name + "."))
                        .distinct()
                        .toList())
            .orElse(List.of());
    if (!readers.isEmpty()) {
      note(
          quantization,
          "its weight is quantized for %s too, which reads it without calling the module"
              .formatted(String.join(", ", readers)));
    }
  }

  private boolean roundsInput(ScriptModule module) {
    ModuleQuantization quantization = quantizations.get(module);
    return quantization != null && quantization.input().isPresent();
  }

  private boolean multipliesIntegers(ScriptModule module) {
    ModuleQuantization quantization = quantizations.get(module);
    return quantization != null
        && ModuleKind.of(quantization.module().types()).orElseThrow() == ModuleKind.LINEAR
        && isInt8(quantization.weights())
        && isInt8(quantization.input())
        && quantization.weights().orElseThrow().isByOutput()
        && hasFloat32Bias(quantization)
        && weight(quantization).elementType().equals(ElementType.FLOAT32)
        && FakeQuantizer.of(QuantizedType.INT8, quantization.input().orElseThrow().amax()[0])
                .multiplier()
            > 0;
  }

  /** Whether its bias, if it has one, is of the type that packed weights hold. */
  private boolean hasFloat32Bias(ModuleQuantization quantization) {
    return model
        .tensor(quantization.module().name(), BIAS)
        .map(bias -> bias.elementType().equals(ElementType.FLOAT32))
        .orElse(true);
  }

  private static boolean isInt8(Optional<OperandQuantization> operand) {
    return operand.isPresent() && operand.get().type() == QuantizedType.INT8;
  }

  private StoredTensor weight(ModuleQuantization quantization) {
    return model.tensor(quantization.module().name(), WEIGHT).orElseThrow();
  }

  private RoundedWeight weight(ScriptModule module, OperandQuantization range) {
    StoredTensor tensor = model.tensor(module.name(), WEIGHT).orElseThrow();
    return weights.computeIfAbsent(
        new Key(tensor.identity(), range),
        key -> new RoundedWeight(TorchModel.qualified(module.name(), WEIGHT), tensor, range));
  }

  private PickleObject announceValues(RoundedWeight weight) {
    StoredTensor tensor = weight.weight();
    String storage =
        rewriter.storages().add(tensor.bytes(), channel -> weight.writeValues(channel, progress));
    return pickler.node(TensorNode.contiguous(tensor.elementType(), storage, tensor.shape()));
  }

  private void pack(
      ScriptModule module,
      PackedLinearClass ofClass,
      ModuleQuantization quantization,
      RoundedWeight weight) {
    PickleValue bias =
        ofClass.addsBias()
            ? module.attributes().get(BIAS).orElse(PickleNone.NONE)
            : PickleNone.NONE;
    PickleObject packed = PackedLinear.parameters(rewriter, codes(weight), bias);
    float multiplier =
        FakeQuantizer.of(QuantizedType.INT8, quantization.input().orElseThrow().amax()[0])
            .multiplier();
    ofClass.initialize(module.attributes(), packed, 1.0 / multiplier);
    module.attributes().put(WEIGHT, nothing());
    bytes.put(quantization.module().name(), PackedLinear.bytes(weight.weight().shape()));
  }

  /** An int8 tensor with a scale for each row. */
  private PickleObject codes(RoundedWeight weight) {
    StoredTensor tensor = weight.weight();
    String codes =
        rewriter.storages().add(tensor.elements(), channel -> weight.writeCodes(channel, progress));
    double[] scales = new double[Math.toIntExact(tensor.shape().get(0))];
    for (int row = 0; row < scales.length; row++) {
      scales[row] = 1.0 / weight.divisor(weight.ranges() == 1 ? 0 : row);
    }
    return PackedLinear.weight(rewriter, codes, tensor.shape(), () -> scales);
  }

  /** What stands in the place of a weight that is packed. */
  private PickleObject nothing() {
    if (nothing == null) {
      nothing =
          pickler.node(
              TensorNode.contiguous(
                  ElementType.FLOAT32, constant(ByteBuffer.allocate(0)), List.of(0L)));
    }
    return nothing;
  }

  private PickleObject scalar(float value) {
    return scalars.computeIfAbsent(
        value,
        key ->
            pickler.node(
                TensorNode.contiguous(
                    ElementType.FLOAT32,
                    constant(
                        ByteBuffer.allocate(Float.BYTES)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .putFloat(0, value)),
                    List.of())));
  }

  private String constant(ByteBuffer content) {
    return rewriter
        .storages()
        .add(content.remaining(), channel -> channel.write(content.duplicate()));
  }

  private void note(ModuleQuantization quantization, String note) {
    notes.merge(quantization.module().name(), note, "%s; %s"::formatted);
  }
}
