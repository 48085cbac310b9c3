package dev.kvant.api;

import jakarta.validation.Valid;
import jakarta.validation.constraints.NotBlank;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a quantization: the {@code quantize} section of an experiment.
 *
 * <p>Immutable. The defaults below apply to everything that a document or builder does not set.
 *
 * @param backend id or alias of the backend
 * @param mode how to quantize; null means the backend's default or only mode
 * @param algorithm how calibration chooses ranges; {@code minmax}
 * @param defaultLayerDtype the dtype of weights without a rule, in modules that the backend can
 *     quantize; {@code native}
 * @param defaultActivationDtype the same for activations; {@code native}
 * @param layers the rules, later ones override earlier ones
 * @param skipNames patterns of modules that stay native in spite of all rules
 * @param moduleClasses class names by module-name pattern, for files with missing or wrong class
 *     names; later entries override earlier ones
 * @param modelPath the trained model, or null if it is set elsewhere
 * @param resultsDir the folder for artifacts, or null if it is set elsewhere
 * @param backendKwargs options of the backend; unknown options are an error
 * @param calibration the source of calibration data, or null
 * @param evaluation the data for evaluating the model before and after, or null
 * @param verify how artifacts are compared with their source once they are written
 * @param strict whether a rule without any effect is an error; true
 * @param device the device that runs the model for calibration and evaluation; {@code cpu}
 * @since 0.1.0
 */
public record ModelQuantizationConfig(
    @NotBlank(message = "is required; name the backend that quantizes") String backend,
    @Nullable QuantizationMode mode,
    CalibrationAlgorithm algorithm,
    Dtype defaultLayerDtype,
    Dtype defaultActivationDtype,
    List<@Valid LayerQuantizationConfig> layers,
    List<@NotBlank(message = "must not be empty") String> skipNames,
    Map<String, String> moduleClasses,
    @Nullable Path modelPath,
    @Nullable Path resultsDir,
    Map<String, Object> backendKwargs,
    @Valid @Nullable CalibrationConfig calibration,
    @Valid @Nullable EvaluationConfig evaluation,
    @Valid VerificationConfig verify,
    boolean strict,
    Device device) {

  public ModelQuantizationConfig {
    Objects.requireNonNull(backend, "backend");
    Objects.requireNonNull(algorithm, "algorithm");
    Objects.requireNonNull(defaultLayerDtype, "defaultLayerDtype");
    Objects.requireNonNull(defaultActivationDtype, "defaultActivationDtype");
    layers = List.copyOf(layers);
    skipNames = List.copyOf(skipNames);
    moduleClasses = Collections.unmodifiableMap(new LinkedHashMap<>(moduleClasses));
    backendKwargs = Collections.unmodifiableMap(new LinkedHashMap<>(backendKwargs));
    Objects.requireNonNull(verify, "verify");
    Objects.requireNonNull(device, "device");
  }

  /** A builder with all defaults; only the backend must be set. */
  public static Builder builder() {
    return new Builder();
  }

  /** A builder with the values of this configuration. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.backend = backend;
    builder.mode = mode;
    builder.algorithm = algorithm;
    builder.defaultLayerDtype = defaultLayerDtype;
    builder.defaultActivationDtype = defaultActivationDtype;
    builder.layers.addAll(layers);
    builder.skipNames.addAll(skipNames);
    builder.moduleClasses.putAll(moduleClasses);
    builder.modelPath = modelPath;
    builder.resultsDir = resultsDir;
    builder.backendKwargs.putAll(backendKwargs);
    builder.calibration = calibration;
    builder.evaluation = evaluation;
    builder.verify = verify;
    builder.strict = strict;
    builder.device = device;
    return builder;
  }

  /** The default dtype for that operand. */
  public Dtype defaultDtype(Operand operand) {
    return operand == Operand.WEIGHTS ? defaultLayerDtype : defaultActivationDtype;
  }

  /**
   * Builds a configuration.
   *
   * @since 0.1.0
   */
  public static final class Builder {

    private String backend = "";
    private @Nullable QuantizationMode mode;
    private CalibrationAlgorithm algorithm = CalibrationAlgorithm.MINMAX;
    private Dtype defaultLayerDtype = Dtype.NATIVE;
    private Dtype defaultActivationDtype = Dtype.NATIVE;
    private final List<LayerQuantizationConfig> layers = new ArrayList<>();
    private final List<String> skipNames = new ArrayList<>();
    private final Map<String, String> moduleClasses = new LinkedHashMap<>();
    private @Nullable Path modelPath;
    private @Nullable Path resultsDir;
    private final Map<String, Object> backendKwargs = new LinkedHashMap<>();
    private @Nullable CalibrationConfig calibration;
    private @Nullable EvaluationConfig evaluation;
    private VerificationConfig verify = VerificationConfig.DEFAULT;
    private boolean strict = true;
    private Device device = Device.CPU;

    private Builder() {}

    /** Sets the backend by id or alias. */
    public Builder backend(String backend) {
      this.backend = Objects.requireNonNull(backend, "backend");
      return this;
    }

    /** Sets the mode; null means the backend's only one. */
    public Builder mode(@Nullable QuantizationMode mode) {
      this.mode = mode;
      return this;
    }

    /** Sets how calibration chooses ranges. */
    public Builder algorithm(CalibrationAlgorithm algorithm) {
      this.algorithm = Objects.requireNonNull(algorithm, "algorithm");
      return this;
    }

    /** Sets the dtype of weights without a rule. */
    public Builder defaultLayerDtype(Dtype dtype) {
      this.defaultLayerDtype = Objects.requireNonNull(dtype, "dtype");
      return this;
    }

    /** Sets the dtype of activations without a rule. */
    public Builder defaultActivationDtype(Dtype dtype) {
      this.defaultActivationDtype = Objects.requireNonNull(dtype, "dtype");
      return this;
    }

    /** Adds a rule, which overrides earlier ones. */
    public Builder layer(LayerQuantizationConfig layer) {
      layers.add(Objects.requireNonNull(layer, "layer"));
      return this;
    }

    /** Adds a rule for weights, which overrides earlier ones. */
    public Builder layer(String moduleName, Dtype weights) {
      return layer(LayerQuantizationConfig.weights(moduleName, weights));
    }

    /** Adds a rule for weights and activations, which overrides earlier ones. */
    public Builder layer(String moduleName, Dtype weights, Dtype activations) {
      return layer(LayerQuantizationConfig.of(moduleName, weights, activations));
    }

    /** Adds a pattern of modules that stay native. */
    public Builder skip(String pattern) {
      skipNames.add(Objects.requireNonNull(pattern, "pattern"));
      return this;
    }

    /** Sets the class of the modules whose names match a pattern. */
    public Builder moduleClass(String pattern, String className) {
      moduleClasses.put(
          Objects.requireNonNull(pattern, "pattern"),
          Objects.requireNonNull(className, "className"));
      return this;
    }

    /** Sets the trained model. */
    public Builder modelPath(@Nullable Path path) {
      this.modelPath = path;
      return this;
    }

    /** Sets the folder for artifacts. */
    public Builder resultsDir(@Nullable Path directory) {
      this.resultsDir = directory;
      return this;
    }

    /** Sets an option of the backend. */
    public Builder backendKwarg(String key, Object value) {
      backendKwargs.put(Objects.requireNonNull(key, "key"), Objects.requireNonNull(value, "value"));
      return this;
    }

    /** Sets the source of calibration data. */
    public Builder calibration(@Nullable CalibrationConfig calibration) {
      this.calibration = calibration;
      return this;
    }

    /** Sets the data for evaluating the model before and after. */
    public Builder evaluation(@Nullable EvaluationConfig evaluation) {
      this.evaluation = evaluation;
      return this;
    }

    /** Sets how artifacts are compared with their source once they are written. */
    public Builder verify(VerificationConfig verify) {
      this.verify = Objects.requireNonNull(verify, "verify");
      return this;
    }

    /** Sets whether a rule without any effect is an error. */
    public Builder strict(boolean strict) {
      this.strict = strict;
      return this;
    }

    /** Sets the device that runs the model for calibration and evaluation. */
    public Builder device(Device device) {
      this.device = Objects.requireNonNull(device, "device");
      return this;
    }

    /** The configuration. Creating a quantizer validates it. */
    public ModelQuantizationConfig build() {
      return new ModelQuantizationConfig(
          backend,
          mode,
          algorithm,
          defaultLayerDtype,
          defaultActivationDtype,
          layers,
          skipNames,
          moduleClasses,
          modelPath,
          resultsDir,
          backendKwargs,
          calibration,
          evaluation,
          verify,
          strict,
          device);
    }
  }
}
