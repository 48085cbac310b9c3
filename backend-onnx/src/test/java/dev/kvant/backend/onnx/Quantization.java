package dev.kvant.backend.onnx;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.SavedModel;
import dev.kvant.onnx.OnnxFormat;
import dev.kvant.spi.Observation;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import java.nio.file.Path;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** One run of the backend, from a file to an artifact. */
final class Quantization {

  private final ModelQuantizationConfig.Builder config =
      ModelQuantizationConfig.builder().backend("onnx");
  private QuantizationMode mode = QuantizationMode.WEIGHT_ONLY_PTQ;
  private @Nullable CalibrationDataset data;
  private int threads = 2;
  private Predicate<ModuleDescription> isKept = operator -> false;
  private Function<ModuleDescription, Plans.Wish> wishes = module -> Plans.Wish.NATIVE;

  /** Only weights, as wished. */
  static Quantization weightsOf(Function<ModuleDescription, Plans.Wish> wishes) {
    Quantization quantization = new Quantization();
    quantization.wishes = wishes;
    return quantization;
  }

  /** Weights and activations, as wished, calibrated on that data. */
  static Quantization staticOf(
      Function<ModuleDescription, Plans.Wish> wishes, @Nullable CalibrationDataset data) {
    Quantization quantization = weightsOf(wishes);
    quantization.mode = QuantizationMode.STATIC_PTQ;
    quantization.data = data;
    return quantization;
  }

  /** Weights and activations, as wished, whose ranges are found at run time. */
  static Quantization dynamicOf(Function<ModuleDescription, Plans.Wish> wishes) {
    Quantization quantization = weightsOf(wishes);
    quantization.mode = QuantizationMode.DYNAMIC_PTQ;
    return quantization;
  }

  /** On that data. */
  Quantization on(CalibrationDataset calibration) {
    data = calibration;
    return this;
  }

  /** With operators without weights that stay float. */
  Quantization keeping(Predicate<ModuleDescription> operators) {
    isKept = operators;
    return this;
  }

  /** On so many threads. */
  Quantization threads(int count) {
    threads = count;
    return this;
  }

  /** With an option of the backend. */
  Quantization with(String key, Object value) {
    config.backendKwarg(key, value);
    return this;
  }

  /** Runs it. */
  SavedModel run(Path model, Path directory) {
    ModelQuantizationConfig built = config.mode(mode).build();
    var backend = new OnnxBackend();
    RunContext context =
        RunContext.builder(built, backend.descriptor()).parallelism(threads).build();
    try (QuantizableModel file = new OnnxFormat().open(model);
        QuantizableModel source = backend.prepare(file, context);
        QuantizationRun run =
            backend.begin(
                source,
                Plans.of(source, mode, (config, part) -> wishes.apply(part), isKept, built),
                context)) {
      if (data != null) {
        run.use(run.observe(data, Observation.EXTREMES));
      }
      return run.save(directory);
    }
  }
}
