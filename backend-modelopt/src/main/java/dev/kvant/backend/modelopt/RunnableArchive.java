package dev.kvant.backend.modelopt;

import dev.kvant.api.ElementType;
import dev.kvant.backend.modelopt.ModelOptOptions.Target;
import dev.kvant.numerics.FakeQuantizer;
import dev.kvant.numerics.QuantizationError;
import dev.kvant.numerics.QuantizedType;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.ScriptRewriter;
import dev.kvant.torch.TorchModel;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.script.Convolution;
import dev.kvant.torch.script.ConvolutionProducts;
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
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes a TorchScript archive again in which planned modules quantize: weights hold the values
 * that their codes stand for, inputs are rounded in the code, and for {@link Target#CPU} Linear
 * modules and convolutions hold and multiply integers.
 */
final class RunnableArchive {

  private static final String ROOT = "quantized_model_modelopt";
  private static final String WEIGHT = "weight";
  private static final String BIAS = "bias";
  private static final String TENSOR = "Tensor";

  /** Types of results that are one tensor or none. */
  private static final Set<String> PLAIN_RESULTS =
      Set.of(TENSOR, "NoneType", "bool", "int", "float", "str", "Device");

  /** What fails or gives something else for a tensor with other strides. */
  private static final Set<String> DEPEND_ON_LAYOUT =
      Set.of(
          "torch.view",
          "torch.view_as",
          "torch._unsafe_view",
          "torch._reshape_alias",
          "torch.as_strided",
          "torch.as_strided_",
          "torch.stride",
          "torch.is_contiguous",
          "torch.storage_offset",
          "torch.set_",
          "torch.resize_",
          "torch.resize_as_");

  /**
   * What came out.
   *
   * @param notes what is worth knowing about modules, by name
   * @param errors how far quantized weights are from the weights, by the module's name
   * @param bytes the sizes of weights that take another number of bytes than before, by name
   * @param leftFloat why inputs that are planned to be quantized stay as they are, by module
   * @param convolves whether any of the integers are those of convolutions
   */
  record Outcome(
      Map<String, String> notes,
      Map<String, QuantizationError> errors,
      Map<String, Long> bytes,
      Map<String, String> leftFloat,
      boolean convolves) {

    Outcome {
      leftFloat = Map.copyOf(leftFloat);
      notes = Map.copyOf(notes);
      errors = Map.copyOf(errors);
      bytes = Map.copyOf(bytes);
    }
  }

  private record Key(String weight, OperandQuantization quantization) {}

  private final ScriptModel model;
  private final Target target;
  private final boolean fitsPairs;
  private final CopyProgress progress;
  private final ScriptRewriter rewriter;
  private final TensorPickler pickler = TensorPickler.forScript();
  private final Map<ScriptModule, ModuleQuantization> quantizations = new LinkedHashMap<>();
  private final Map<Key, RoundedWeight> weights = new HashMap<>();
  private final Map<Key, OperandQuantization> fitted = new HashMap<>();
  private final Map<RoundedWeight, PickleObject> values = new HashMap<>();
  private final Map<Float, PickleObject> scalars = new HashMap<>();
  private final Map<String, RoundedWeight> weightByModule = new LinkedHashMap<>();
  private final Map<String, Long> bytes = new LinkedHashMap<>();
  private final Map<String, String> notes = new LinkedHashMap<>();
  private final Map<String, String> leftFloat = new LinkedHashMap<>();
  private final IntegerWeights integers;
  private boolean convolves;
  private @Nullable Boolean keepsRowMajor;
  private @Nullable PickleObject nothing;

  private RunnableArchive(ScriptModel model, ModelOptOptions options, CopyProgress progress) {
    this.model = model;
    this.target = options.target();
    this.fitsPairs = options.fitsPairs();
    this.progress = progress;
    this.rewriter = new ScriptRewriter(model);
    this.integers = new IntegerWeights(rewriter, progress);
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
      ModelOptOptions options,
      Function<Outcome, byte[]> record,
      CopyProgress progress) {
    var archive = new RunnableArchive(model, options, progress);
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
    return new Outcome(notes, errors, bytes, leftFloat, convolves);
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
    Optional<IntegerProducts> products = Optional.empty();
    Optional<RoundedInputClass> rounded = Optional.empty();
    Set<ScriptModule> packed = new HashSet<>();
    if (type.isPresent() && !methods.isEmpty()) {
      if (target == Target.CPU) {
        products = integerProducts(instances, type.get(), packed);
      }
      if (instances.stream()
          .anyMatch(
              module ->
                  roundsInput(module) && !packed.contains(module) && !hasFloatInput(module))) {
        rounded = Optional.of(RoundedInputClass.change(type.get(), methods));
      }
    }
    for (ScriptModule module : instances) {
      change(module, type, packed.contains(module) ? products : Optional.empty(), rounded);
      if (!packed.contains(module)) {
        products.ifPresent(ofClass -> ofClass.initializeNative(module));
      }
    }
  }

  /**
   * Changes a class so that instances multiply integers.
   *
   * @param packed receives the instances that are to
   * @return empty if none is to
   */
  private Optional<IntegerProducts> integerProducts(
      List<ScriptModule> instances, ScriptType type, Set<ScriptModule> packed) {
    List<ScriptModule> possible = instances.stream().filter(this::multipliesIntegers).toList();
    if (possible.isEmpty()) {
      return Optional.empty();
    }
    if (kind(possible.get(0)) == ModuleKind.LINEAR) {
      Optional<LinearProducts> products = LinearProducts.of(rewriter.code(), type);
      products.ifPresent(any -> packed.addAll(possible));
      return products.map(each -> PackedLinearClass.change(type, each, integers, nothing()));
    }
    Optional<ConvolutionProducts> products = ConvolutionProducts.of(rewriter.code(), type);
    if (products.isEmpty()) {
      return Optional.empty();
    }
    for (ScriptModule module : possible) {
      Convolution convolution = products.get().convolution();
      List<Long> shape = weight(quantization(module)).shape();
      Optional<String> objection = PackedConvolutionClass.objection(convolution, shape);
      if (objection.isPresent()) {
        leftFloat.put(quantization(module).module().name(), objection.get());
      } else if (convolution.dimensions() + 2 == shape.size()
          && convolution.zeros(shape).isPresent()) {
        packed.add(module);
      }
    }
    if (packed.isEmpty()) {
      return Optional.empty();
    }
    convolves = true;
    return Optional.of(
        PackedConvolutionClass.change(type, products.get(), integers, nothing(), keepsRowMajor()));
  }

  /**
   * Whether outputs of convolutions must be contiguous, since the code may depend on how tensors
   * lie in memory, or gives them away in a form that hides them. If not, what methods of the root
   * return becomes contiguous.
   */
  private boolean keepsRowMajor() {
    Boolean known = keepsRowMajor;
    if (known == null) {
      Optional<ScriptType> root =
          rewriter.code().type(rewriter.tree().modules().get(0).type().name().qualifiedName());
      known =
          !rewriter.code().unreadable().isEmpty()
              || rewriter.code().calls(DEPEND_ON_LAYOUT)
              || root.filter(ForwardMethod::isCalled)
                  .filter(RunnableArchive::returnsPlainTensors)
                  .isEmpty();
      if (!known) {
        root.ifPresent(RunnableArchive::returnContiguous);
      }
      keepsRowMajor = known;
    }
    return known;
  }

  private static boolean returnsPlainTensors(ScriptType root) {
    return root.methods().stream().map(root::resultType).allMatch(PLAIN_RESULTS::contains);
  }

  private static void returnContiguous(ScriptType root) {
    root.methods().stream()
        .filter(method -> root.resultType(method).equals(TENSOR))
        .forEach(method -> root.wrapResults(method, "torch.contiguous"));
  }

  private boolean hasFloatInput(ScriptModule module) {
    return quantizations.containsKey(module)
        && leftFloat.containsKey(quantization(module).module().name());
  }

  private ModuleQuantization quantization(ScriptModule module) {
    return Objects.requireNonNull(quantizations.get(module));
  }

  private ModuleKind kind(ScriptModule module) {
    return ModuleKind.of(quantization(module).module().types()).orElseThrow();
  }

  private void change(
      ScriptModule module,
      Optional<ScriptType> type,
      Optional<IntegerProducts> products,
      Optional<RoundedInputClass> rounded) {
    ModuleQuantization quantization = quantizations.get(module);
    boolean isFloat = hasFloatInput(module);
    rounded.ifPresent(
        ofClass ->
            ofClass.initialize(
                module.attributes(),
                quantization == null || products.isPresent() || isFloat
                    ? Optional.empty()
                    : quantization.input(),
                this::scalar));
    if (quantization == null) {
      return;
    }
    boolean fits = products.isPresent() && fitsPairs;
    Optional<RoundedWeight> weight =
        quantization
            .weights()
            .map(ranges -> weight(module, fits ? fitted(module, ranges) : ranges));
    weight.ifPresent(content -> weightByModule.put(quantization.module().name(), content));
    if (products.isPresent()) {
      bytes.put(
          quantization.module().name(),
          products
              .get()
              .initialize(
                  module,
                  weight.orElseThrow(),
                  FakeQuantizer.of(
                      QuantizedType.INT8, quantization.input().orElseThrow().amax()[0])));
    } else {
      weight.ifPresent(
          content ->
              module
                  .attributes()
                  .put(WEIGHT, values.computeIfAbsent(content, this::announceValues)));
      if (isFloat) {
        note(
            quantization,
            "multiplied in floating point in %s, and its input is not rounded: %s"
                .formatted(ModelOptBackend.RUNNABLE, leftFloat.get(quantization.module().name())));
      } else {
        noteSimulation(quantization);
      }
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
    if (!ModuleKind.of(quantization.module().types()).orElseThrow().hasIntegerKernel()) {
      return "libtorch has no integer arithmetic for transposed convolutions";
    }
    if (!isInt8(quantization.weights()) || !isInt8(quantization.input())) {
      return "integer arithmetic takes int8 weights and an int8 input";
    }
    if (!weight(quantization).elementType().equals(ElementType.FLOAT32)) {
      return "integer arithmetic gives float32, and its weight is "
          + weight(quantization).elementType();
    }
    if (!quantization.weights().orElseThrow().isByOutput()) {
      return "integer arithmetic takes a range for each output, and its weight has others";
    }
    if (quantization.input().orElseThrow().amax()[0] <= 0) {
      return "its input was always 0";
    }
    return ModuleKind.of(quantization.module().types()).orElseThrow() == ModuleKind.LINEAR
        ? "its code has no product that could be replaced"
        : "its code is not one convolution of its input with as many zeros on each side";
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
        && ModuleKind.of(quantization.module().types()).orElseThrow().hasIntegerKernel()
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

  /** Ranges with which products do not overflow without VNNI. */
  private OperandQuantization fitted(ScriptModule module, OperandQuantization ranges) {
    StoredTensor tensor = model.tensor(module.name(), WEIGHT).orElseThrow();
    return fitted.computeIfAbsent(
        new Key(tensor.identity(), ranges), key -> KernelPairs.fit(tensor, ranges));
  }

  private PickleObject announceValues(RoundedWeight weight) {
    StoredTensor tensor = weight.weight();
    String storage =
        rewriter.storages().add(tensor.bytes(), channel -> weight.writeValues(channel, progress));
    return pickler.node(TensorNode.contiguous(tensor.elementType(), storage, tensor.shape()));
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
