package dev.kvant.spi;

import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizationListener;
import java.util.Objects;

/**
 * What a quantizer works with.
 *
 * @param config the validated configuration
 * @param listener hears of progress and warnings
 * @param parallelism how many threads it may use, at least 1
 * @since 0.1.0
 */
public record QuantizerContext(
    ModelQuantizationConfig config, QuantizationListener listener, int parallelism) {

  public QuantizerContext {
    Objects.requireNonNull(config, "config");
    Objects.requireNonNull(listener, "listener");
    if (parallelism < 1) {
      throw new IllegalArgumentException("parallelism: must be at least 1, was " + parallelism);
    }
  }
}
