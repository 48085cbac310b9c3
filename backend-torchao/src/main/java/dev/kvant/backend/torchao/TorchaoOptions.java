package dev.kvant.backend.torchao;

import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.Options;
import java.util.List;

/**
 * What {@code backend_kwargs} say.
 *
 * @param kernel how the runnable artifact multiplies
 * @param runtimeModules whether modules that torchao cannot run are quantized in the runnable
 *     artifact
 * @param fitsPairs whether weights that are multiplied by codes get fewer codes where processors
 *     without VNNI would overflow
 */
record TorchaoOptions(Kernel kernel, boolean runtimeModules, boolean fitsPairs) {

  static final String KERNEL = "kernel";
  static final String RUNTIME_MODULES = "runtime_modules";
  static final String REDUCE_RANGE = "reduce_range";

  private static final String AUTO = "auto";
  private static final String FALSE = "false";

  /** How a Linear of the runnable artifact multiplies. */
  enum Kernel {
    /** Converts codes to floating point in forward and scales the product. */
    DEQUANTIZE("dequantize"),
    /** libtorch's product of bfloat16 rows with int8 weights. */
    INT8PACK("int8pack");

    private final String label;

    Kernel(String label) {
      this.label = label;
    }

    String label() {
      return label;
    }
  }

  static TorchaoOptions of(ModelQuantizationConfig config) {
    return of(Options.of(descriptors(), config.backendKwargs()));
  }

  static TorchaoOptions of(Options options) {
    return new TorchaoOptions(
        Kernel.INT8PACK.label().equals(options.text(KERNEL)) ? Kernel.INT8PACK : Kernel.DEQUANTIZE,
        options.flag(RUNTIME_MODULES),
        options.text(REDUCE_RANGE).equals(AUTO));
  }

  static List<OptionDescriptor> descriptors() {
    return List.of(
        OptionDescriptor.choice(
            KERNEL,
            List.of(Kernel.DEQUANTIZE.label(), Kernel.INT8PACK.label()),
            "How Linear modules of the runnable artifact multiply: dequantize is exact and runs on"
                + " any device, int8pack rounds inputs to bfloat16 and is several times faster on"
                + " CPU for few rows."),
        OptionDescriptor.flag(
            RUNTIME_MODULES,
            false,
            "Quantizes also, in the runnable artifact alone, modules that torchao cannot run in"
                + " Python: convolutions and the output projection of attention."),
        OptionDescriptor.choice(
            REDUCE_RANGE,
            List.of(AUTO, FALSE),
            "For dynamic_ptq, how many codes weights of the runnable artifact get, because x86-64"
                + " CPUs without VNNI add pairs of products in 16 bits: auto fewer for outputs"
                + " where a pair could overflow, false 8 bits for all, as torchao has them."));
  }
}
