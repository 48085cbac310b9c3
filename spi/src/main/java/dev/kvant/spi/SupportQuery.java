package dev.kvant.spi;

import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.Operand;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The question whether an operand of a module can be quantized.
 *
 * @param module the module
 * @param operand which operand
 * @param dtype to what; never {@link Dtype#NATIVE}
 * @param granularity which values shall share a scale, or null for the backend's default; of a kind
 *     that the descriptor lists, an axis within the weight's dimensions and not negative
 * @param modelFormat the id among the backend's formats that the model has or stands for, see
 *     {@link dev.kvant.api.QuantizableModel#compatibleFormats()}
 * @param config the whole configuration, its mode filled in
 * @since 0.1.0
 */
public record SupportQuery(
    ModuleDescription module,
    Operand operand,
    Dtype dtype,
    @Nullable Granularity granularity,
    String modelFormat,
    ModelQuantizationConfig config) {

  public SupportQuery {
    Objects.requireNonNull(module, "module");
    Objects.requireNonNull(operand, "operand");
    Objects.requireNonNull(dtype, "dtype");
    Objects.requireNonNull(modelFormat, "modelFormat");
    Objects.requireNonNull(config, "config");
  }
}
