package dev.kvant.backend.torchao;

import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.SavedModel;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import dev.kvant.torch.TorchModel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** Quantizes a model file as a test says: what a plan would come from rules for. */
final class Quantization {

  private final Path file;
  private final Map<String, Dtype> dtypeByModule = new LinkedHashMap<>();
  private Dtype otherwise = Dtype.NATIVE;
  private ModelQuantizationConfig.Builder config =
      ModelQuantizationConfig.builder().backend("torchao").mode(QuantizationMode.WEIGHT_ONLY_PTQ);
  private QuantizationListener listener = new QuantizationListener() {};
  private int threads = 2;
  private boolean quantizeInputs;
  private final Set<String> weightsOnly = new HashSet<>();
  private final Set<String> inputsOnly = new HashSet<>();

  private Quantization(Path file) {
    this.file = file;
  }

  static Quantization of(Path file) {
    return new Quantization(file);
  }

  /** Everything that can be is quantized to that, but for modules named otherwise. */
  Quantization all(Dtype dtype) {
    otherwise = dtype;
    return this;
  }

  Quantization module(String name, Dtype dtype) {
    dtypeByModule.put(name, dtype);
    return this;
  }

  /** Quantizes inputs too where that is supported: dynamic_ptq. */
  Quantization dynamic() {
    config = config.mode(QuantizationMode.DYNAMIC_PTQ);
    quantizeInputs = true;
    return this;
  }

  /** A module whose input stays native. */
  Quantization weightsOnly(String module) {
    weightsOnly.add(module);
    return this;
  }

  /** A module whose weight stays native. */
  Quantization inputsOnly(String module) {
    inputsOnly.add(module);
    return this;
  }

  Quantization option(String key, Object value) {
    config = config.backendKwarg(key, value);
    return this;
  }

  Quantization listener(QuantizationListener listener) {
    this.listener = listener;
    return this;
  }

  Quantization threads(int threads) {
    this.threads = threads;
    return this;
  }

  SavedModel into(Path directory) {
    var backend = new TorchaoBackend();
    ModelQuantizationConfig settings = config.build();
    try (TorchModel model = TestModels.open(file);
        var run =
            backend.begin(
                model,
                plan(model, backend, settings),
                RunContext.builder(settings, backend.descriptor())
                    .listener(listener)
                    .parallelism(threads)
                    .records(Quantization::record)
                    .build())) {
      return run.save(directory);
    }
  }

  /** The record of an artifact: what it holds of weights. */
  static byte[] record(QuantizationReport report) {
    return report.modules().stream()
        .map(ModuleReport::weights)
        .toList()
        .toString()
        .getBytes(StandardCharsets.UTF_8);
  }

  private QuantizationPlan plan(
      TorchModel model, TorchaoBackend backend, ModelQuantizationConfig settings) {
    List<ModuleDecision> decisions = new ArrayList<>();
    for (ModuleDescription module : model.modules()) {
      if (module.hasWeights()) {
        Dtype dtype = dtypeByModule.getOrDefault(module.name(), otherwise);
        decisions.add(
            new ModuleDecision(
                module.name(),
                module.type(),
                module.typesInferred(),
                inputsOnly.contains(module.name())
                    ? OperandDecision.untouched()
                    : decide(backend, module, Operand.WEIGHTS, dtype, model, settings),
                quantizeInputs && !weightsOnly.contains(module.name())
                    ? decide(backend, module, Operand.ACTIVATIONS, dtype, model, settings)
                    : OperandDecision.untouched()));
      }
    }
    return new QuantizationPlan(
        "torchao", Objects.requireNonNull(settings.mode()), decisions, List.of());
  }

  private static OperandDecision decide(
      TorchaoBackend backend,
      ModuleDescription module,
      Operand operand,
      Dtype dtype,
      TorchModel model,
      ModelQuantizationConfig settings) {
    return dtype.isNative()
        ? OperandDecision.untouched()
        : decide(
            backend.supports(
                new SupportQuery(module, operand, dtype, null, model.format(), settings)),
            dtype);
  }

  private static OperandDecision decide(Support support, Dtype dtype) {
    return new OperandDecision(
        support instanceof Support.No ? Dtype.NATIVE : dtype,
        dtype,
        null,
        List.of(),
        support instanceof Support.No no ? no.reason() : null,
        support instanceof Support.Partly partly ? partly.nativeIn() : Map.of(),
        OperandSettings.DEFAULT);
  }
}
