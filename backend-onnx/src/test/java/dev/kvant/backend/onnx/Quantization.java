package dev.kvant.backend.onnx;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.SavedModel;
import dev.kvant.onnx.OnnxFormat;
import dev.kvant.spi.Calibratable;
import dev.kvant.spi.Quantizer;
import dev.kvant.spi.QuantizerContext;
import java.nio.file.Path;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One run of the backend, from a file to an artifact. */
final class Quantization {

  private final ModelQuantizationConfig.Builder config =
      ModelQuantizationConfig.builder().backend("onnx");
  private QuantizationMode mode = QuantizationMode.WEIGHT_ONLY_PTQ;
  private @Nullable CalibrationDataset data;
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

  /** With an option of the backend. */
  Quantization with(String key, Object value) {
    config.backendKwarg(key, value);
    return this;
  }

  /** With the folder for the results in the configuration too. */
  Quantization intoFolderOfTheConfiguration(Path directory) {
    config.resultsDir(directory);
    return this;
  }

  /** Runs it. */
  SavedModel run(Path model, Path directory) {
    ModelQuantizationConfig built = config.mode(mode).build();
    try (QuantizableModel source = new OnnxFormat().open(model);
        Quantizer quantizer =
            new OnnxBackend().create(new QuantizerContext(built, QuantizationListener.NONE, 2))) {
      PreparedModel prepared =
          new PreparedModel(
              source, Plans.of(source, mode, (config, module) -> wishes.apply(module), built));
      quantizer.prepare(prepared);
      if (data != null && quantizer instanceof Calibratable calibratable) {
        calibratable.calibrate(prepared, data);
      }
      return quantizer.save(quantizer.quantize(prepared), directory);
    }
  }
}
