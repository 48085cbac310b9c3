package dev.kvant.backend.modelopt;

import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizedModel;
import dev.kvant.api.SavedModel;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.spi.Quantizer;
import dev.kvant.spi.QuantizerContext;
import dev.kvant.torch.ScriptModel;
import java.nio.file.Path;

/** Takes TorchScript models through static quantization with one configuration. */
final class ModelOptQuantizer implements Quantizer {

  private final ModelOptOptions options;

  ModelOptQuantizer(QuantizerContext context) {
    this.options = ModelOptOptions.of(context.config());
  }

  @Override
  public void prepare(PreparedModel model) {
    source(model);
  }

  private static ScriptModel source(PreparedModel prepared) {
    if (prepared.model() instanceof ScriptModel model) {
      return model;
    }
    throw new UnsupportedModelException(
        "%s is of the format %s, which has no forward to run; save the model with torch.jit.trace or torch.jit.script and torch.jit.save"
            .formatted(prepared.model().source(), prepared.model().format()));
  }

  @Override
  public QuantizedModel quantize(PreparedModel model) {
    throw new UnsupportedModelException(
        "%s cannot be quantized for %s yet".formatted(model.model().source(), options.target()));
  }

  @Override
  public SavedModel save(QuantizedModel model, Path directory) {
    throw new IllegalArgumentException("model: was not quantized by this quantizer");
  }

  /** Does nothing: files are opened and closed within each step. */
  @Override
  public void close() {}
}
