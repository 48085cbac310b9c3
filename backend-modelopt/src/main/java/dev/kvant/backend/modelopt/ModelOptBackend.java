package dev.kvant.backend.modelopt;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.api.TensorDescription;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.kit.Architecture;
import dev.kvant.kit.ObserverCheck;
import dev.kvant.kit.StaticMode;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.JarVersion;
import dev.kvant.spi.ModeDescriptor.Calibration;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import dev.kvant.torch.ComputedWeight;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.StateDictModel;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Quantizes weights and activations of TorchScript models, with ranges that are observed on data,
 * and writes what NVIDIA's ModelOpt restores in Python beside an archive that libtorch runs.
 *
 * @since 0.1.0
 */
public final class ModelOptBackend implements QuantizationBackend {

  /** The file that ModelOpt restores. */
  static final String CHECKPOINT = "quantized_model_modelopt.pth";

  /** The file that libtorch runs. */
  static final String RUNNABLE = "quantized_model_modelopt.pt";

  /** The Linear whose weight its parent multiplies with. */
  private static final String ATTENTION_OUTPUT = "NonDynamicallyQuantizableLinear";

  private static final Set<String> CHECKPOINTS =
      Set.of(StateDictModel.PYTORCH, StateDictModel.SAFETENSORS);

  private static final Set<ElementType> FLOATS =
      Set.of(ElementType.FLOAT32, ElementType.FLOAT16, ElementType.BFLOAT16);

  private static final List<Dtype> DTYPES = List.of(Dtype.INT8, Dtype.FP8_E4M3FN, Dtype.FP8_E5M2);

  private static final BackendDescriptor DESCRIPTOR =
      BackendDescriptor.builder("modelopt")
          .alias("modelopt.pytorch")
          .version(JarVersion.of(ModelOptBackend.class))
          .description(
              "Quantizes weights and activations of TorchScript, for ModelOpt in Python and for"
                  + " libtorch.")
          .mode(
              QuantizationMode.STATIC_PTQ,
              StaticMode.of(
                  DTYPES,
                  List.of(Granularity.Kind.TENSOR, Granularity.Kind.CHANNEL, Granularity.Kind.AXIS),
                  Calibration.OPTIONAL))
          .format(ScriptModel.FORMAT)
          .artifact(CHECKPOINT)
          .artifact(RUNNABLE)
          .options(ModelOptOptions.descriptors())
          .build();

  /** For {@link java.util.ServiceLoader}; does nothing. */
  public ModelOptBackend() {}

  @Override
  public BackendDescriptor descriptor() {
    return DESCRIPTOR;
  }

  /** Leaves models without data to backends that need none, unless the mode is requested. */
  @Override
  public Optional<Recipe> recommend(QuantizableModel model, RecipeRequest request) {
    if (!request.hasData() && request.mode() == null) {
      return Optional.empty();
    }
    Dtype dtype = request.dtype() == null ? Dtype.INT8 : request.dtype();
    ModelQuantizationConfig.Builder config =
        ModelQuantizationConfig.builder()
            .mode(QuantizationMode.STATIC_PTQ)
            .algorithm(CalibrationAlgorithm.MSE)
            .defaultLayerDtype(dtype)
            .defaultActivationDtype(dtype)
            .backendKwarg(ModelOptOptions.WEIGHTS, ModelOptOptions.PER_CHANNEL);
    if (request.target() != null) {
      config.backendKwarg(ModelOptOptions.TARGET, request.target());
    }
    return Optional.of(
        new Recipe(
            config.build(),
            "This is %s. With data static_ptq quantizes weights and activations, so that libtorch multiplies integers."
                .formatted(Architecture.of(model).label()),
            Map.of(
                "algorithm",
                "ranges with the smallest squared error; most accurate for encoders",
                "backend_kwargs." + ModelOptOptions.WEIGHTS,
                "a range for each output channel, more accurate in deep models")));
  }

  @Override
  public List<ConfigurationProblem> validate(ModelQuantizationConfig config) {
    return ObserverCheck.problems(config);
  }

  @Override
  public Optional<String> remedy(String format) {
    return CHECKPOINTS.contains(format)
        ? Optional.of(
            "a checkpoint has no forward that could run on data: save the model itself with"
                + " torch.jit.trace or torch.jit.script and torch.jit.save")
        : Optional.empty();
  }

  @Override
  public Support supports(SupportQuery query) {
    Optional<String> obstacle = obstacle(query.module());
    if (obstacle.isPresent()) {
      return Support.no(obstacle.get());
    }
    return query.dtype().equals(Dtype.FP8_E5M2)
        ? Support.partly(Map.of(CHECKPOINT, "ModelOpt has no static quantization to fp8_e5m2"))
        : Support.yes();
  }

  private static Optional<String> obstacle(ModuleDescription module) {
    if (module.types().contains(ATTENTION_OUTPUT)) {
      return Optional.of(
          "MultiheadAttention multiplies with its weight without calling it, so that nothing of it"
              + " is quantized in ModelOpt either");
    }
    Optional<ModuleKind> kind = ModuleKind.of(module.types());
    if (kind.isEmpty()) {
      return ComputedWeight.reason(module)
          .or(
              () ->
                  Optional.of(
                      "Linear, Conv1d to Conv3d and ConvTranspose1d to ConvTranspose3d are quantized, not "
                          + module.type()));
    }
    Optional<TensorDescription> weight = module.weight();
    if (weight.isEmpty()) {
      return ComputedWeight.reason(module).or(() -> Optional.of("it has no tensor named 'weight'"));
    }
    if (!FLOATS.contains(weight.get().elementType())) {
      return Optional.of(
          "its weight is %s; float32, float16 and bfloat16 can be quantized"
              .formatted(weight.get().elementType()));
    }
    if (weight.get().shape().size() != kind.get().dimensions() || weight.get().elements() == 0) {
      return Optional.of(
          "its weight has the shape %s, which is none of a %s"
              .formatted(weight.get().shape(), module.type()));
    }
    return Optional.empty();
  }

  @Override
  public QuantizationRun begin(QuantizableModel model, QuantizationPlan plan, RunContext context) {
    if (model instanceof ScriptModel source) {
      return new ModelOptRun(source, plan, context);
    }
    throw new UnsupportedModelException(
        "%s is of the format %s, which has no forward to run; save the model with torch.jit.trace or torch.jit.script and torch.jit.save"
            .formatted(model.source(), model.format()));
  }
}
