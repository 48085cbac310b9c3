package dev.kvant.backend.onnx;

import dev.kvant.spi.OptionDescriptor;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The backend's options, read from {@code backend_kwargs}.
 *
 * @param target what the quantized graph will run on
 * @param quantizeOutputs whether the outputs of quantized operators are quantized too
 * @param externalData whether large tensors are always written into a file of their own
 */
record OnnxOptions(Target target, boolean quantizeOutputs, boolean externalData) {

  /** What a quantized graph runs on. */
  enum Target {
    /** ONNX Runtime on a processor: uint8 activations with a zero point. */
    CPU,
    /** TensorRT: int8 activations without one, biases in float. */
    TENSORRT;

    private String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final String TARGET = "target";
  private static final String QUANTIZE_OUTPUTS = "quantize_outputs";
  private static final String EXTERNAL_DATA = "external_data";

  static final List<OptionDescriptor> DESCRIPTORS =
      List.of(
          OptionDescriptor.choice(
              TARGET,
              List.of(Target.CPU.label(), Target.TENSORRT.label()),
              "What the quantized graph will run on: cpu quantizes activations to uint8 with a zero"
                  + " point, tensorrt to int8 without one."),
          OptionDescriptor.flag(
              QUANTIZE_OUTPUTS,
              false,
              "Quantizes the outputs of quantized operators as well as their inputs."),
          OptionDescriptor.flag(
              EXTERNAL_DATA,
              false,
              "Writes large tensors into quantized_model.onnx.data even where one file could hold"
                  + " them."));

  static OnnxOptions of(Map<String, Object> kwargs) {
    return new OnnxOptions(
        Target.TENSORRT.label().equals(kwargs.get(TARGET)) ? Target.TENSORRT : Target.CPU,
        Boolean.TRUE.equals(kwargs.get(QUANTIZE_OUTPUTS)),
        Boolean.TRUE.equals(kwargs.get(EXTERNAL_DATA)));
  }
}
