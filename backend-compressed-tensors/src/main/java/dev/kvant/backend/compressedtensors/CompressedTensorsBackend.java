package dev.kvant.backend.compressedtensors;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandQuantizationConfig;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.api.TensorDescription;
import dev.kvant.backend.compressedtensors.weights.Layout;
import dev.kvant.backend.compressedtensors.weights.Numbers;
import dev.kvant.backend.compressedtensors.weights.Scheme;
import dev.kvant.kit.Architecture;
import dev.kvant.kit.WeightValues;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.JarVersion;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.Options;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Quantizes the Linear modules of a checkpoint, without calibration, and writes the folder as
 * compressed-tensors stores it: for vLLM, SGLang and transformers.
 *
 * @since 0.1.0
 */
public final class CompressedTensorsBackend implements QuantizationBackend {

  private static final List<CalibrationAlgorithm> ALGORITHMS =
      List.of(CalibrationAlgorithm.MINMAX, CalibrationAlgorithm.MSE);

  private static final List<Dtype> DYNAMIC = List.of(Dtype.INT8, Dtype.FP8_E4M3FN);

  /** The option that names a {@link Layout}. */
  static final String LAYOUT = "layout";

  /** The option for how large a file may be. */
  static final String SHARD_GIGABYTES = "shard_gigabytes";

  private static final int MAX_COLUMNS = 1 << 24;

  private static final BackendDescriptor DESCRIPTOR =
      BackendDescriptor.builder("compressed-tensors")
          .alias("compressed_tensors")
          .version(JarVersion.of(CompressedTensorsBackend.class))
          .description("Quantizes checkpoints for vLLM, SGLang and transformers.")
          .mode(
              QuantizationMode.WEIGHT_ONLY_PTQ,
              ModeDescriptor.builder()
                  .weights(Numbers.dtypes())
                  .weightGranularities(
                      List.of(
                          Granularity.Kind.CHANNEL,
                          Granularity.Kind.AXIS,
                          Granularity.Kind.GROUP,
                          Granularity.Kind.BLOCK))
                  .algorithms(ALGORITHMS)
                  .build())
          .mode(
              QuantizationMode.DYNAMIC_PTQ,
              ModeDescriptor.builder()
                  .weights(DYNAMIC)
                  .activations(DYNAMIC)
                  .weightGranularities(
                      List.of(
                          Granularity.Kind.CHANNEL, Granularity.Kind.AXIS, Granularity.Kind.BLOCK))
                  .algorithms(ALGORITHMS)
                  .build())
          .format("safetensors")
          .artifact(OutputFolder.MODEL)
          .sideFile(SourceFolder.CONFIG)
          .sideFile(ModelOptSection.FILE)
          .option(
              OptionDescriptor.choice(
                  LAYOUT,
                  Layout.labels(),
                  "How the checkpoint is stored: as compressed-tensors does, or as ModelOpt's unified"
                      + " export for fp8_e4m3fn in dynamic_ptq and nvfp4."))
          .option(
              OptionDescriptor.of(
                  SHARD_GIGABYTES,
                  OptionDescriptor.Type.NUMBER,
                  "How many gigabytes of tensors a file may have; the files are those of the source by default."))
          .build();

  /** For {@link java.util.ServiceLoader}; does nothing. */
  public CompressedTensorsBackend() {}

  @Override
  public BackendDescriptor descriptor() {
    return DESCRIPTOR;
  }

  @Override
  public Optional<String> remedy(String format) {
    return Optional.of("save it with save_pretrained, which writes safetensors");
  }

  /**
   * Leaves models to backends whose artifacts the JVM runs, unless this backend is requested, or
   * what it alone has.
   */
  @Override
  public Optional<Recipe> recommend(QuantizableModel model, RecipeRequest request) {
    boolean isRequested =
        request.backend() != null
            || QuantizationMode.DYNAMIC_PTQ.equals(request.mode())
            || (request.dtype() != null && !DYNAMIC.contains(request.dtype()));
    if (!isRequested || (request.hasData() && request.mode() == null)) {
      return Optional.empty();
    }
    Dtype dtype = request.dtype() == null ? Dtype.INT8 : request.dtype();
    QuantizationMode mode =
        request.mode() != null
            ? request.mode()
            : DYNAMIC.contains(dtype)
                ? QuantizationMode.DYNAMIC_PTQ
                : QuantizationMode.WEIGHT_ONLY_PTQ;
    ModelQuantizationConfig.Builder config =
        ModelQuantizationConfig.builder().mode(mode).defaultLayerDtype(dtype);
    boolean isDynamic = mode.equals(QuantizationMode.DYNAMIC_PTQ);
    if (isDynamic) {
      config.defaultActivationDtype(dtype);
    }
    return Optional.of(
        new Recipe(
            config.build(),
            "This is %s. %s"
                .formatted(
                    Architecture.of(model).label(),
                    isDynamic
                        ? "Engines multiply 8-bit weights by inputs that they quantize for each token, which needs no data."
                        : "Only weights are quantized, which needs no data: less memory, computed in floating point."),
            Map.of()));
  }

  @Override
  public List<ConfigurationProblem> validate(ModelQuantizationConfig config) {
    List<ConfigurationProblem> problems = new ArrayList<>();
    Object gigabytes = config.backendKwargs().get(SHARD_GIGABYTES);
    if (gigabytes instanceof Number number && !(number.doubleValue() > 0)) {
      problems.add(
          new ConfigurationProblem(
              "quantize.backend_kwargs." + SHARD_GIGABYTES, "must be above 0, was " + number));
    }
    if (layout(config) == Layout.MODELOPT) {
      Stream.concat(
              Stream.ofNullable(config.defaultLayerDtype()),
              config.layers().stream()
                  .flatMap(layer -> Stream.ofNullable(layer.weights()))
                  .flatMap(weights -> Stream.ofNullable(weights.dtype())))
          .filter(dtype -> !dtype.isNative() && !dtype.equals(ofModelOpt(config)))
          .findFirst()
          .ifPresent(
              dtype ->
                  problems.add(
                      new ConfigurationProblem(
                          "quantize.backend_kwargs." + LAYOUT,
                          "modelopt stores %s in %s without calibration, not %s"
                              .formatted(ofModelOpt(config), config.mode(), dtype))));
    }
    if (QuantizationMode.DYNAMIC_PTQ.equals(config.mode())) {
      problems.addAll(mixed(config));
    }
    return problems;
  }

  /**
   * The defaults and rules that give weights and activations of one module different dtypes. Where
   * one of them is a default, native weights are left to the plan: activations of modules that are
   * not supported stay native too.
   */
  private static List<ConfigurationProblem> mixed(ModelQuantizationConfig config) {
    List<ConfigurationProblem> problems = new ArrayList<>();
    Dtype weights = config.defaultLayerDtype();
    Dtype activations = config.defaultActivationDtype();
    if (!weights.isNative() && isMixed(weights, activations)) {
      problems.add(mixed("default_activation_dtype", weights, activations));
    }
    for (int i = 0; i < config.layers().size(); i++) {
      LayerQuantizationConfig layer = config.layers().get(i);
      Dtype ownWeights = dtype(layer, Operand.WEIGHTS);
      Dtype ownActivations = dtype(layer, Operand.ACTIVATIONS);
      if (ownWeights == null && ownActivations == null) {
        continue;
      }
      weights = ownWeights == null ? otherwise(config, Operand.WEIGHTS) : ownWeights;
      activations =
          ownActivations == null ? otherwise(config, Operand.ACTIVATIONS) : ownActivations;
      boolean isLeftToPlan = weights.isNative() && (ownWeights == null || ownActivations == null);
      if (!isLeftToPlan && isMixed(weights, activations)) {
        problems.add(mixed("layers[%d]".formatted(i), weights, activations));
      }
    }
    return problems;
  }

  private static ConfigurationProblem mixed(String key, Dtype weights, Dtype activations) {
    return new ConfigurationProblem(
        "quantize." + key,
        "weights and activations must have the same dtype, or activations must be native; they are %s and %s"
            .formatted(weights, activations));
  }

  /**
   * The dtype of an operand of which a rule says nothing: the default; native where another rule
   * may give it, which only the plan knows.
   */
  private static Dtype otherwise(ModelQuantizationConfig config, Operand operand) {
    boolean isDefault = config.layers().stream().allMatch(rule -> dtype(rule, operand) == null);
    return isDefault ? config.defaultDtype(operand) : Dtype.NATIVE;
  }

  private static @Nullable Dtype dtype(LayerQuantizationConfig layer, Operand operand) {
    OperandQuantizationConfig settings = layer.operand(operand);
    return settings == null ? null : settings.dtype();
  }

  private static Layout layout(ModelQuantizationConfig config) {
    return Layout.of(Options.of(DESCRIPTOR.options(), config.backendKwargs()).text(LAYOUT));
  }

  /** What ModelOpt's layout has in the mode of a configuration. */
  private static Dtype ofModelOpt(ModelQuantizationConfig config) {
    return QuantizationMode.DYNAMIC_PTQ.equals(config.mode())
        ? Dtype.FP8_E4M3FN
        : Numbers.NVFP4.dtype();
  }

  private static boolean isMixed(Dtype weights, Dtype activations) {
    return !activations.isNative() && !activations.equals(weights);
  }

  @Override
  public Support supports(SupportQuery query) {
    Optional<String> obstacle = obstacle(query.module());
    if (obstacle.isPresent()) {
      return Support.no(obstacle.get());
    }
    if (query.operand() == Operand.ACTIVATIONS) {
      return query.config().mode() != null
              && query.config().mode().equals(QuantizationMode.DYNAMIC_PTQ)
          ? Support.yes()
          : Support.no("weight_only_ptq leaves activations as they are; use dynamic_ptq");
    }
    Optional<Numbers> numbers = Numbers.of(query.dtype());
    if (numbers.isEmpty()) {
      return Support.no("compressed-tensors stores no weights of " + query.dtype());
    }
    Granularity granularity = SchemePlan.granularity(numbers.get(), query.granularity());
    if (!numbers.get().has(granularity)) {
      return Support.no(
          "compressed-tensors stores no %s weights with scales for %s"
              .formatted(query.dtype(), granularity));
    }
    boolean isDynamic = QuantizationMode.DYNAMIC_PTQ.equals(query.config().mode());
    if (!layout(query.config()).has(new Scheme(numbers.get(), granularity, isDynamic))) {
      return Support.no(
          "the layout of ModelOpt stores no %s with scales for %s without calibration"
              .formatted(query.dtype(), granularity));
    }
    long columns = query.module().weight().orElseThrow().shape().get(1);
    int together =
        granularity instanceof Granularity.PerGroup group
            ? group.size()
            : granularity instanceof Granularity.PerBlock block ? block.columns() : 1;
    return columns % together == 0
        ? Support.yes()
        : Support.no(
            "its rows of %d values do not fall into groups of %d".formatted(columns, together));
  }

  /** What is wrong with a module, whatever it is quantized to. */
  private static Optional<String> obstacle(ModuleDescription module) {
    Optional<TensorDescription> weight = module.weight();
    if (weight.isEmpty()) {
      return Optional.of(
          module.tensors().stream().anyMatch(tensor -> tensor.shape().size() == 3)
              ? "its experts are parameters of three dimensions, which compressed-tensors stores for each expert apart"
              : "it has no tensor named 'weight'");
    }
    if (!module.types().contains("Linear")) {
      return Optional.of(
          module.type().isEmpty()
              ? "its class is unknown; name it in module_classes if it is a Linear"
              : "engines load Linear modules quantized, not " + module.type());
    }
    Optional<String> output = OutputLayers.reason(module);
    if (output.isPresent()) {
      return output;
    }
    List<Long> shape = weight.get().shape();
    if (!WeightValues.supports(weight.get().elementType())) {
      return Optional.of(
          "its weight is %s; float32, float16 and bfloat16 can be quantized"
              .formatted(weight.get().elementType()));
    }
    if (shape.size() != 2 || weight.get().elements() == 0) {
      return Optional.of("its weight has the shape %s, not [out, in]".formatted(shape));
    }
    return shape.get(0) > Integer.MAX_VALUE || shape.get(1) > MAX_COLUMNS
        ? Optional.of("its weight of shape %s is too large".formatted(shape))
        : Optional.empty();
  }

  @Override
  public QuantizationRun begin(QuantizableModel model, QuantizationPlan plan, RunContext context) {
    return new CompressedTensorsRun(model, plan, context);
  }
}
