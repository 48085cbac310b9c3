package dev.kvant.validation;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizationMode;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.Quantizer;
import dev.kvant.spi.QuantizerContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.util.List;
import java.util.Map;

/** A backend of which there is nothing but its descriptor. */
record DescribedBackend(BackendDescriptor descriptor, List<ConfigurationProblem> faults)
    implements QuantizationBackend {

  private static final List<Dtype> DTYPES = List.of(Dtype.INT8, Dtype.FP8_E4M3FN, Dtype.FP8_E5M2);

  private static final ModeDescriptor WEIGHTS_ONLY =
      new ModeDescriptor(DTYPES, List.of(), List.of());

  private static final ModeDescriptor STATIC =
      new ModeDescriptor(
          DTYPES,
          List.of(Dtype.INT8),
          List.of(CalibrationAlgorithm.MINMAX, CalibrationAlgorithm.ENTROPY));

  /** With weights only, as torchao. */
  static DescribedBackend torchao(ConfigurationProblem... faults) {
    return backend(
        "torchao",
        Map.of(QuantizationMode.WEIGHT_ONLY_PTQ, WEIGHTS_ONLY),
        List.of(
            OptionDescriptor.flag("runtime_modules", false, "For the test."),
            OptionDescriptor.choice("kernel", List.of("dequantize", "int8pack"), "For the test."),
            OptionDescriptor.choice("version", List.of("0.47", "0.33"), "For the test."),
            new OptionDescriptor(
                "depth", OptionDescriptor.Type.INTEGER, List.of(), "", "For the test."),
            new OptionDescriptor(
                "factor", OptionDescriptor.Type.NUMBER, List.of(), "", "For the test."),
            new OptionDescriptor(
                "title", OptionDescriptor.Type.STRING, List.of(), "", "For the test."),
            new OptionDescriptor(
                "names", OptionDescriptor.Type.LIST_OF_STRINGS, List.of(), "", "For the test.")),
        faults);
  }

  /** With activations in one of its two modes. */
  static DescribedBackend onnx() {
    return backend(
        "onnx",
        Map.of(QuantizationMode.WEIGHT_ONLY_PTQ, WEIGHTS_ONLY, QuantizationMode.STATIC_PTQ, STATIC),
        List.of());
  }

  private static DescribedBackend backend(
      String id,
      Map<QuantizationMode, ModeDescriptor> modes,
      List<OptionDescriptor> options,
      ConfigurationProblem... faults) {
    return new DescribedBackend(
        new BackendDescriptor(
            id,
            List.of(id + ".alias"),
            "1",
            "For the test.",
            modes,
            List.of("any"),
            List.of(),
            options),
        List.of(faults));
  }

  @Override
  public List<ConfigurationProblem> validate(ModelQuantizationConfig config) {
    return faults;
  }

  @Override
  public Support supports(SupportQuery query) {
    return Support.yes();
  }

  @Override
  public Quantizer create(QuantizerContext context) {
    throw new UnsupportedOperationException("it only describes itself");
  }
}
