package dev.kvant.backend.torchao;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.Granularity;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.Operand;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.api.TensorDescription;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.backend.torchao.TorchaoOptions.Kernel;
import dev.kvant.kit.Architecture;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.JarVersion;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.Processor;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import dev.kvant.torch.ComputedWeight;
import dev.kvant.torch.ExportedModel;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.tensor.TensorPickler;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Quantizes weights, and inputs at run time, without calibration, to what torchao 0.18 computes,
 * and writes what torchao loads in Python; from a TorchScript archive also an archive that libtorch
 * runs by itself, from a torch.export program also a program.
 *
 * @since 0.1.0
 */
public final class TorchaoBackend implements QuantizationBackend {

  /** The file that Python loads after {@code import torchao}. */
  static final String CHECKPOINT = "quantized_model_torchao.pth";

  /** The file that libtorch runs. */
  static final String RUNNABLE = "quantized_model_torchao.pt";

  /** The file that {@code torch.export.load} reads. */
  static final String EXPORTED = "quantized_model_torchao.pt2";

  /** The id of the model format that has code to run. */
  static final String TORCHSCRIPT = "torchscript";

  private static final Set<String> OF_PRODUCTS = Set.of("weight", "bias");

  private static final BackendDescriptor DESCRIPTOR =
      BackendDescriptor.builder("torchao")
          .version(JarVersion.of(TorchaoBackend.class))
          .description(
              "Quantizes weights to int8 and float8, and inputs at run time to int8, for torchao in"
                  + " Python and for libtorch.")
          .mode(
              QuantizationMode.WEIGHT_ONLY_PTQ,
              ModeDescriptor.builder()
                  .weights(WeightType.dtypes())
                  .weightGranularities(List.of(Granularity.Kind.CHANNEL, Granularity.Kind.AXIS))
                  .build())
          .mode(
              QuantizationMode.DYNAMIC_PTQ,
              ModeDescriptor.builder()
                  .weights(List.of(Dtype.INT8))
                  .activations(List.of(Dtype.INT8))
                  .weightGranularities(List.of(Granularity.Kind.CHANNEL, Granularity.Kind.AXIS))
                  .build())
          .defaultMode(QuantizationMode.WEIGHT_ONLY_PTQ)
          .format(TORCHSCRIPT)
          .format(ExportedModel.FORMAT)
          .format("pytorch")
          .format("safetensors")
          .artifact(CHECKPOINT)
          .artifact(RUNNABLE)
          .artifact(EXPORTED)
          .options(TorchaoOptions.descriptors())
          .build();

  /** For {@link java.util.ServiceLoader}; does nothing. */
  public TorchaoBackend() {}

  @Override
  public BackendDescriptor descriptor() {
    return DESCRIPTOR;
  }

  /** Leaves models with data to backends that use it, unless the mode is requested. */
  @Override
  public Optional<Recipe> recommend(QuantizableModel model, RecipeRequest request) {
    if (request.hasData() && request.mode() == null) {
      return Optional.empty();
    }
    Architecture architecture = Architecture.of(model);
    Dtype dtype = request.dtype() == null ? Dtype.INT8 : request.dtype();
    QuantizationMode mode =
        request.mode() == null ? recommendedMode(model, architecture, dtype) : request.mode();
    boolean isDynamic = mode.equals(QuantizationMode.DYNAMIC_PTQ);
    if (isDynamic && !dtype.equals(Dtype.INT8)) {
      return Optional.empty();
    }
    ModelQuantizationConfig.Builder config =
        ModelQuantizationConfig.builder().mode(mode).defaultLayerDtype(dtype);
    Map<String, String> comments = new HashMap<>();
    if (isDynamic) {
      config.defaultActivationDtype(dtype);
      comments.put(
          "default_activation_dtype",
          "inputs of Linear modules, with one scale for a batch that is found at run time");
    }
    Optional<String> runnable = runnable(model.format());
    if (runnable.isPresent() && architecture == Architecture.CONVOLUTIONAL) {
      config.backendKwarg(TorchaoOptions.RUNTIME_MODULES, true);
      comments.put(
          "backend_kwargs." + TorchaoOptions.RUNTIME_MODULES,
          "convolutions too, in %s alone: torchao in Python runs none".formatted(runnable.get()));
    }
    return Optional.of(
        new Recipe(
            config.build(),
            (isDynamic
                    ? "This is %s. Without data dynamic_ptq finds the ranges of activations at run"
                        + " time, so that Linear modules multiply integers; with data static_ptq"
                        + " is faster."
                    : "This is %s. Only weights are quantized, which needs no data: a smaller file,"
                        + " computed in floating point.")
                .formatted(architecture.label()),
            comments));
  }

  /** Products of integers pay where there are many, and where libtorch has kernels for them. */
  private static QuantizationMode recommendedMode(
      QuantizableModel model, Architecture architecture, Dtype dtype) {
    boolean hasProducts =
        architecture == Architecture.ENCODER || architecture == Architecture.DECODER;
    boolean hasKernels =
        model.format().equals(TORCHSCRIPT)
            && Processor.isX86(Processor.architectureOfThisProcess());
    return hasProducts && hasKernels && dtype.equals(Dtype.INT8)
        ? QuantizationMode.DYNAMIC_PTQ
        : QuantizationMode.WEIGHT_ONLY_PTQ;
  }

  @Override
  public List<ConfigurationProblem> validate(ModelQuantizationConfig config) {
    List<ConfigurationProblem> problems = new ArrayList<>();
    List<String> float8 = new ArrayList<>();
    if (isFloat8(config.defaultLayerDtype())) {
      float8.add("default_layer_dtype");
    }
    for (int i = 0; i < config.layers().size(); i++) {
      LayerQuantizationConfig layer = config.layers().get(i);
      if (layer.weights() == null) {
        continue;
      }
      String path = "layers[" + i + "].weights";
      if (isFloat8(layer.weights().dtype())) {
        float8.add(path);
      }
    }
    if (TorchaoOptions.of(config).kernel() == Kernel.INT8PACK && !float8.isEmpty()) {
      problems.add(
          new ConfigurationProblem(
              "quantize.backend_kwargs." + TorchaoOptions.KERNEL,
              "int8pack multiplies int8 weights only, and %s asks for float8; use dequantize, or int8 everywhere"
                  .formatted(String.join(", ", float8))));
    }
    boolean isDynamic = QuantizationMode.DYNAMIC_PTQ.equals(config.mode());
    if (!isDynamic && config.backendKwargs().containsKey(TorchaoOptions.REDUCE_RANGE)) {
      problems.add(
          new ConfigurationProblem(
              "quantize.backend_kwargs." + TorchaoOptions.REDUCE_RANGE,
              "is for weights that are multiplied by codes of activations, which only dynamic_ptq"
                  + " does; leave it out"));
    }
    return problems;
  }

  private static boolean isFloat8(@Nullable Dtype dtype) {
    return Dtype.FP8_E4M3FN.equals(dtype) || Dtype.FP8_E5M2.equals(dtype);
  }

  @Override
  public Support supports(SupportQuery query) {
    if (query.operand() != Operand.WEIGHTS) {
      return QuantizationMode.DYNAMIC_PTQ.equals(query.config().mode())
          ? supportsInput(query)
          : Support.no("torchao's weight-only quantization leaves activations as they are");
    }
    if (WeightType.of(query.dtype()).isEmpty()) {
      return Support.no("torchao quantizes no weights to " + query.dtype());
    }
    ModuleDescription module = query.module();
    Optional<ModuleKind> kind = ModuleKind.of(module.types());
    if (kind.isEmpty()) {
      return Support.no(ComputedWeight.reason(module).orElseGet(() -> notRun(module)));
    }
    Optional<String> obstacle = obstacle(module, kind.get());
    if (obstacle.isPresent()) {
      return Support.no(obstacle.get());
    }
    int channels = kind.get().channelAxis();
    if (query.granularity() instanceof Granularity.PerAxis along && along.axis() != channels) {
      return Support.no(
          "torchao stores a scale for each output channel, which is axis %d of a %s"
              .formatted(channels, module.type()));
    }
    if (kind.get().runsInTorchao()) {
      return Support.yes();
    }
    return inRunnableOnly(query, kind.get());
  }

  /** Whether a module can quantize its input at run time. */
  private static Support supportsInput(SupportQuery query) {
    ModuleDescription module = query.module();
    Optional<ModuleKind> kind = ModuleKind.of(module.types());
    if (kind.isEmpty()) {
      return Support.no(ComputedWeight.reason(module).orElseGet(() -> notRun(module)));
    }
    switch (kind.get()) {
      case LINEAR -> {}
      case EMBEDDING -> {
        return Support.no("the input of an Embedding is indices");
      }
      case ATTENTION_OUTPUT -> {
        return Support.no("MultiheadAttention multiplies with its weight without calling it");
      }
      default -> {
        return Support.no("dynamic_ptq quantizes inputs of Linear, not of " + module.type());
      }
    }
    Optional<String> obstacle = obstacle(module, kind.get());
    if (obstacle.isPresent()) {
      return Support.no(obstacle.get());
    }
    Optional<ElementType> other =
        module.tensors().stream()
            .filter(tensor -> OF_PRODUCTS.contains(tensor.name()))
            .map(TensorDescription::elementType)
            .filter(type -> !type.equals(ElementType.FLOAT32))
            .findFirst();
    if (query.modelFormat().equals(ExportedModel.FORMAT)) {
      return Support.partly(
          Map.of(
              EXPORTED, "a torch.export program restores weights, and multiplies floating point"));
    }
    return other.isPresent() && query.modelFormat().equals(TORCHSCRIPT)
        ? Support.partly(
            Map.of(
                RUNNABLE,
                "libtorch multiplies integers for float32 modules, and this one is " + other.get()))
        : Support.yes();
  }

  private static String notRun(ModuleDescription module) {
    return module.type().isEmpty()
        ? "its class is unknown; name it in module_classes if it is a Linear or an Embedding"
        : "torchao runs Linear and Embedding with quantized weights, not " + module.type();
  }

  /** What is wrong with a module's weight. */
  private static Optional<String> obstacle(ModuleDescription module, ModuleKind kind) {
    Optional<TensorDescription> weight = module.weight();
    if (weight.isEmpty()) {
      return ComputedWeight.reason(module).or(() -> Optional.of("it has no tensor named 'weight'"));
    }
    List<Long> shape = weight.get().shape();
    if (WeightType.source(weight.get().elementType()).isEmpty()) {
      return Optional.of(
          "its weight is %s; float32, float16 and bfloat16 can be quantized"
              .formatted(weight.get().elementType()));
    }
    if (!kind.hasDimensions(shape.size())) {
      return Optional.of(
          "its weight has the shape %s, which is none of a %s".formatted(shape, module.type()));
    }
    if (weight.get().elements() == 0) {
      return Optional.of("its weight is empty, shape %s".formatted(shape));
    }
    return Optional.empty();
  }

  private static Support inRunnableOnly(SupportQuery query, ModuleKind kind) {
    String reason =
        kind == ModuleKind.ATTENTION_OUTPUT
            ? "in Python MultiheadAttention multiplies with it by operators that torchao's tensors"
                + " lack"
            : "torchao in Python runs no %s with a quantized weight"
                .formatted(query.module().type());
    Optional<String> runnable = runnable(query.modelFormat());
    if (runnable.isEmpty()) {
      return Support.no(reason);
    }
    if (!TorchaoOptions.of(query.config()).runtimeModules()) {
      return Support.no(
          "%s; with backend_kwargs.%s: true it is quantized in %s alone"
              .formatted(reason, TorchaoOptions.RUNTIME_MODULES, runnable.get()));
    }
    return Support.partly(Map.of(CHECKPOINT, reason));
  }

  /** The artifact that runs by itself, which models of some formats give. */
  static Optional<String> runnable(String format) {
    return Optional.ofNullable(
        switch (format) {
          case TORCHSCRIPT -> RUNNABLE;
          case ExportedModel.FORMAT -> EXPORTED;
          default -> null;
        });
  }

  @Override
  public QuantizationRun begin(QuantizableModel model, QuantizationPlan plan, RunContext context) {
    if (runnable(model.format()).isPresent()
        && !(model instanceof ScriptModel)
        && !(model instanceof ExportedModel)) {
      throw new UnsupportedModelException(
          "backend 'torchao' rewrites the code of TorchScript archives and torch.export programs that torch-format opened, not of a %s"
              .formatted(model.getClass().getName()));
    }
    List<String> unknown = new ArrayList<>();
    model
        .tensors()
        .forEach(
            (name, tensor) -> {
              if (!TensorPickler.supports(tensor.elementType())) {
                unknown.add("'%s' (%s)".formatted(name, tensor.elementType()));
              }
            });
    if (!unknown.isEmpty()) {
      throw new UnsupportedModelException(
          "%s has tensors of types that PyTorch cannot store: %s; convert them to a floating-point or integer type first"
              .formatted(model.source(), String.join(", ", unknown)));
    }
    List<String> alone =
        plan.quantized().stream()
            .filter(module -> module.activations().isQuantized())
            .filter(module -> !module.weights().isQuantized())
            .map(ModuleDecision::module)
            .toList();
    if (!alone.isEmpty()) {
      throw new InvalidConfigurationException(
          "quantize.layers",
          "the activations of %s are quantized and the weights are not; products of integers need both, so ask for int8 weights too"
              .formatted(String.join(", ", alone)));
    }
    return new TorchaoRun(model, plan, context);
  }
}
