package dev.kvant.backend.onnx;

import dev.kvant.spi.OptionDescriptor;
import java.util.List;
import java.util.Map;

/**
 * The backend's options, read from {@code backend_kwargs}.
 *
 * @param externalData whether large tensors are always written into a file of their own
 */
record OnnxOptions(boolean externalData) {

  private static final String EXTERNAL_DATA = "external_data";

  static final List<OptionDescriptor> DESCRIPTORS =
      List.of(
          OptionDescriptor.flag(
              EXTERNAL_DATA,
              false,
              "Writes large tensors into quantized_model.onnx.data even where one file could hold"
                  + " them."));

  static OnnxOptions of(Map<String, Object> kwargs) {
    return new OnnxOptions(Boolean.TRUE.equals(kwargs.get(EXTERNAL_DATA)));
  }
}
