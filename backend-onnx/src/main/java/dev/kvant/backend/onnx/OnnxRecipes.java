package dev.kvant.backend.onnx;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.backend.onnx.placement.Optimize;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.smooth.Smooth;
import dev.kvant.kit.Architecture;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.ModeDescriptor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Chooses a configuration by what holds the weights of a graph and by whether there is data. The
 * figures are those of docs/performance.md.
 */
final class OnnxRecipes {

  /** The most accurate of the measured exponents for MiniLM. */
  private static final double FIXED_SMOOTHING = 0.8;

  private final BackendDescriptor descriptor;
  private final Architecture architecture;
  private final RecipeRequest request;

  OnnxRecipes(BackendDescriptor descriptor, QuantizableModel model, RecipeRequest request) {
    this.descriptor = descriptor;
    this.architecture = Architecture.of(model);
    this.request = request;
  }

  /** The recipe; empty if no mode has the requested dtype. */
  Optional<Recipe> recipe() {
    Dtype dtype = request.dtype() == null ? Dtype.INT8 : request.dtype();
    QuantizationMode mode = mode(dtype);
    ModeDescriptor abilities = descriptor.modes().get(mode);
    if (abilities == null || !abilities.weights().contains(dtype)) {
      return Optional.empty();
    }
    ModelQuantizationConfig.Builder config =
        ModelQuantizationConfig.builder()
            .backend(descriptor.id())
            .mode(mode)
            .defaultLayerDtype(dtype)
            .calibration(request.calibration());
    Map<String, String> comments = new LinkedHashMap<>();
    if (abilities.activations().contains(dtype)) {
      config.defaultActivationDtype(dtype);
    }
    if (mode.equals(QuantizationMode.STATIC_PTQ)) {
      config.algorithm(CalibrationAlgorithm.MSE);
      comments.put("algorithm", "ranges with the smallest squared error");
      if (request.target() != null) {
        config.backendKwarg(OnnxOptions.TARGET, request.target());
        comments.put("backend_kwargs.target", "as requested");
      }
      if (dtype.equals(Dtype.INT8)) {
        addAccuracyOrSpeed(config, comments);
      }
    }
    return Optional.of(
        new Recipe(
            config.build(),
            "This is %s. %s".formatted(architecture.label(), reason(mode)),
            comments));
  }

  /**
   * Configurations that differ in size, speed or accuracy, the recommended one first: int8 with and
   * without calibrated activations, and weights in blocks.
   */
  List<Recipe> alternatives() {
    Dtype dtype = request.dtype() == null ? Dtype.INT8 : request.dtype();
    Map<ModelQuantizationConfig, Recipe> all = new LinkedHashMap<>();
    recipe().ifPresent(first -> all.put(first.config(), first));
    if (dtype.equals(Dtype.INT8)) {
      if (request.hasData()) {
        addStatic(all);
      }
      if (!isForTensorRt()) {
        addDynamic(all);
        addBlocks(all);
      }
    } else if (request.hasData()) {
      add(all, QuantizationMode.STATIC_PTQ, CalibrationAlgorithm.MINMAX, Map.of());
      add(all, QuantizationMode.STATIC_PTQ, CalibrationAlgorithm.MSE, Map.of());
    }
    add(all, QuantizationMode.WEIGHT_ONLY_PTQ, CalibrationAlgorithm.MINMAX, Map.of());
    return List.copyOf(all.values());
  }

  private void addStatic(Map<ModelQuantizationConfig, Recipe> all) {
    QuantizationMode mode = QuantizationMode.STATIC_PTQ;
    Map<String, Object> regions =
        isForTensorRt() ? Map.of() : Map.of(OnnxOptions.OPTIMIZE, label(Optimize.BALANCED));
    for (Map<String, Object> options :
        List.of(
            Map.<String, Object>of(OnnxOptions.SMOOTH, FIXED_SMOOTHING),
            Map.<String, Object>of(OnnxOptions.SMOOTH, Smooth.AUTO),
            regions)) {
      add(all, mode, CalibrationAlgorithm.MSE, options);
      add(all, mode, CalibrationAlgorithm.MINMAX, options);
    }
    add(all, mode, CalibrationAlgorithm.PERCENTILE, regions);
    add(all, mode, CalibrationAlgorithm.ENTROPY, regions);
    if (!isForTensorRt()) {
      add(
          all,
          mode,
          CalibrationAlgorithm.MSE,
          Map.of(OnnxOptions.SMOOTH, FIXED_SMOOTHING, OnnxOptions.REDUCE_RANGE, "true"));
      add(all, mode, CalibrationAlgorithm.MSE, Map.of(OnnxOptions.OPTIMIZE, label(Optimize.SPEED)));
      add(
          all,
          mode,
          CalibrationAlgorithm.MSE,
          Map.of(OnnxOptions.OPTIMIZE, label(Optimize.ACCURACY)));
    }
  }

  private void addDynamic(Map<ModelQuantizationConfig, Recipe> all) {
    QuantizationMode mode = QuantizationMode.DYNAMIC_PTQ;
    if (request.hasData()) {
      for (Object smooth : List.of(Smooth.AUTO, FIXED_SMOOTHING)) {
        add(all, mode, CalibrationAlgorithm.MINMAX, Map.of(OnnxOptions.SMOOTH, smooth));
        add(
            all,
            mode,
            CalibrationAlgorithm.MINMAX,
            Map.of(OnnxOptions.SMOOTH, smooth, OnnxOptions.REDUCE_RANGE, "true"));
      }
    }
    add(all, mode, CalibrationAlgorithm.MINMAX, Map.of());
  }

  private void addBlocks(Map<ModelQuantizationConfig, Recipe> all) {
    QuantizationMode mode = QuantizationMode.WEIGHT_ONLY_PTQ;
    Map<String, Object> kernel = Map.of(OnnxOptions.KERNEL, OnnxOptions.Kernel.NBITS.label());
    add(all, mode, CalibrationAlgorithm.MINMAX, kernel);
    Map<String, Object> four = new LinkedHashMap<>(kernel);
    four.put(OnnxOptions.BITS, 4);
    add(all, mode, CalibrationAlgorithm.MSE, four);
    Map<String, Object> tables = new LinkedHashMap<>(four);
    tables.put(OnnxOptions.EMBEDDING_BITS, 4);
    add(all, mode, CalibrationAlgorithm.MSE, tables);
    if (request.hasData()) {
      add(all, mode, CalibrationAlgorithm.GPTQ, four);
      add(all, mode, CalibrationAlgorithm.GPTQ, tables);
    }
  }

  /** Adds a configuration that meets the request and is none of those before. */
  private void add(
      Map<ModelQuantizationConfig, Recipe> all,
      QuantizationMode mode,
      CalibrationAlgorithm algorithm,
      Map<String, Object> options) {
    Dtype dtype = request.dtype() == null ? Dtype.INT8 : request.dtype();
    ModeDescriptor abilities = descriptor.modes().get(mode);
    if (abilities == null
        || (request.mode() != null && !request.mode().equals(mode))
        || !abilities.weights().contains(dtype)) {
      return;
    }
    ModelQuantizationConfig.Builder config =
        ModelQuantizationConfig.builder()
            .backend(descriptor.id())
            .mode(mode)
            .algorithm(algorithm)
            .defaultLayerDtype(dtype)
            .calibration(request.calibration());
    if (abilities.activations().contains(dtype)) {
      config.defaultActivationDtype(dtype);
    }
    options.forEach(config::backendKwarg);
    if (request.target() != null && mode.equals(QuantizationMode.STATIC_PTQ)) {
      config.backendKwarg(OnnxOptions.TARGET, request.target());
    }
    ModelQuantizationConfig built = config.build();
    if (ConfigurationCheck.problems(built).isEmpty()) {
      all.putIfAbsent(built, new Recipe(built, reason(mode), Map.of()));
    }
  }

  private static String label(Optimize choice) {
    return choice.name().toLowerCase(Locale.ROOT);
  }

  /** Products are fast by themselves and gain by smoothing, which excludes regions. */
  private void addAccuracyOrSpeed(
      ModelQuantizationConfig.Builder config, Map<String, String> comments) {
    if (architecture == Architecture.ENCODER || architecture == Architecture.DECODER) {
      config.backendKwarg(OnnxOptions.SMOOTH, Smooth.AUTO);
      comments.put(
          "backend_kwargs." + OnnxOptions.SMOOTH,
          "SmoothQuant: large channels of activations move into the weights, as much as the data"
              + " favours");
    } else if (!isForTensorRt()) {
      config.backendKwarg(OnnxOptions.OPTIMIZE, label(Optimize.BALANCED));
      comments.put(
          "backend_kwargs." + OnnxOptions.OPTIMIZE,
          "operators without weights compute in int8 too where that is faster");
    }
  }

  private QuantizationMode mode(Dtype dtype) {
    if (request.mode() != null) {
      return request.mode();
    }
    if (architecture == Architecture.RECURRENT) {
      return QuantizationMode.WEIGHT_ONLY_PTQ;
    }
    if (request.hasData()) {
      return QuantizationMode.STATIC_PTQ;
    }
    boolean isDynamicFast =
        architecture == Architecture.ENCODER || architecture == Architecture.DECODER;
    return isDynamicFast && dtype.equals(Dtype.INT8) && !isForTensorRt()
        ? QuantizationMode.DYNAMIC_PTQ
        : QuantizationMode.WEIGHT_ONLY_PTQ;
  }

  private boolean isForTensorRt() {
    return OnnxOptions.Target.TENSORRT.label().equals(request.target());
  }

  private String reason(QuantizationMode mode) {
    if (mode.equals(request.mode())) {
      return "The mode is as requested.";
    }
    if (mode.equals(QuantizationMode.DYNAMIC_PTQ)) {
      return "Without data dynamic_ptq finds the ranges of activations at run time; with data"
          + " static_ptq is faster, and more accurate if the data is typical.";
    }
    if (mode.equals(QuantizationMode.STATIC_PTQ)) {
      return "With data static_ptq gives the highest speed in ONNX Runtime.";
    }
    return switch (architecture) {
      case RECURRENT ->
          "ONNX has no quantized LSTM, GRU or RNN, so weights are stored as %s and computed in"
                  .formatted(dtypeLabel())
              + " float32: a smaller file, no higher speed.";
      case CONVOLUTIONAL ->
          "Without data only weights are quantized, because convolutions with ranges found at run"
              + " time are slower than float32: a smaller file, no higher speed. With data"
              + " static_ptq is faster than float32.";
      default -> "Without data only weights are quantized: a smaller file, no higher speed.";
    };
  }

  private String dtypeLabel() {
    return (request.dtype() == null ? Dtype.INT8 : request.dtype()).toString();
  }
}
