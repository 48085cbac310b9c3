package dev.kvant.validation;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.ModeDescriptor.Calibration;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A backend of which there is nothing but its descriptor. */
record DescribedBackend(BackendDescriptor descriptor, List<ConfigurationProblem> faults)
    implements QuantizationBackend {

  private static final List<Dtype> DTYPES = List.of(Dtype.INT8, Dtype.FP8_E4M3FN, Dtype.FP8_E5M2);

  private static final ModeDescriptor WEIGHTS_ONLY =
      ModeDescriptor.builder()
          .weights(DTYPES)
          .weightGranularities(List.of(Granularity.Kind.CHANNEL, Granularity.Kind.AXIS))
          .build();

  private static final ModeDescriptor STATIC =
      ModeDescriptor.builder()
          .weights(DTYPES)
          .activations(List.of(Dtype.INT8))
          .algorithms(List.of(CalibrationAlgorithm.MINMAX, CalibrationAlgorithm.ENTROPY))
          .weightGranularities(List.of(Granularity.Kind.CHANNEL, Granularity.Kind.AXIS))
          .activationGranularities(List.of(Granularity.Kind.TENSOR))
          .calibration(Calibration.REQUIRED)
          .build();

  /** With weights only, as torchao. */
  static DescribedBackend torchao(ConfigurationProblem... faults) {
    return backend(
        "torchao",
        Map.of(QuantizationMode.WEIGHT_ONLY_PTQ, WEIGHTS_ONLY),
        List.of(
            OptionDescriptor.flag("runtime_modules", false, "For the test."),
            OptionDescriptor.choice("kernel", List.of("dequantize", "int8pack"), "For the test."),
            OptionDescriptor.choice("range", List.of("auto", "true", "false"), "For the test."),
            OptionDescriptor.choice("version", List.of("0.47", "0.33"), "For the test."),
            new OptionDescriptor(
                "depth", OptionDescriptor.Type.INTEGER, List.of(), "", "For the test."),
            new OptionDescriptor(
                "factor", OptionDescriptor.Type.NUMBER, List.of(), "", "For the test."),
            new OptionDescriptor(
                "amount",
                OptionDescriptor.Type.NUMBER_OR_WORD,
                List.of("off", "auto"),
                "off",
                "For the test."),
            new OptionDescriptor(
                "title", OptionDescriptor.Type.STRING, List.of(), "", "For the test."),
            new OptionDescriptor(
                "names", OptionDescriptor.Type.LIST_OF_STRINGS, List.of(), "", "For the test.")),
        faults);
  }

  /** With activations in one of its two modes. */
  static DescribedBackend onnx() {
    Map<QuantizationMode, ModeDescriptor> modes = new LinkedHashMap<>();
    modes.put(QuantizationMode.WEIGHT_ONLY_PTQ, WEIGHTS_ONLY);
    modes.put(QuantizationMode.STATIC_PTQ, STATIC);
    return backend("onnx", modes, List.of());
  }

  /** The same with a mode for configurations that name none. */
  DescribedBackend withDefault(QuantizationMode mode) {
    BackendDescriptor.Builder same =
        BackendDescriptor.builder(descriptor.id()).options(descriptor.options()).defaultMode(mode);
    descriptor.modes().forEach(same::mode);
    return new DescribedBackend(same.build(), faults);
  }

  private static DescribedBackend backend(
      String id,
      Map<QuantizationMode, ModeDescriptor> modes,
      List<OptionDescriptor> options,
      ConfigurationProblem... faults) {
    return new DescribedBackend(descriptor(id, modes, options), List.of(faults));
  }

  @Override
  public List<ConfigurationProblem> validate(ModelQuantizationConfig config) {
    return faults;
  }

  @Override
  public Support supports(SupportQuery query) {
    return Support.yes();
  }

  private static BackendDescriptor descriptor(
      String id, Map<QuantizationMode, ModeDescriptor> modes, List<OptionDescriptor> options) {
    BackendDescriptor.Builder descriptor =
        BackendDescriptor.builder(id)
            .alias(id + ".alias")
            .version("1")
            .description("For the test.")
            .format("any")
            .options(options);
    modes.forEach(descriptor::mode);
    return descriptor.build();
  }

  @Override
  public QuantizationRun begin(QuantizableModel model, QuantizationPlan plan, RunContext context) {
    throw new UnsupportedOperationException("it only describes itself");
  }
}
