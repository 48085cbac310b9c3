package dev.kvant.backend.compressedtensors;

import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.SavedModel;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import dev.kvant.torch.TorchFormat;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Quantizes a checkpoint as a test says: what a plan would come from rules for. */
final class Quantization {

  private final Path source;
  private final QuantizationMode mode;
  private final Map<String, Dtype> dtypeByModule = new LinkedHashMap<>();
  private final ModelQuantizationConfig.Builder config;
  private Dtype otherwise = Dtype.NATIVE;
  private @Nullable Granularity granularity;

  private Quantization(Path source, QuantizationMode mode) {
    this.source = source;
    this.mode = mode;
    this.config = ModelQuantizationConfig.builder().backend("compressed-tensors").mode(mode);
  }

  static Quantization weights(Path source) {
    return new Quantization(source, QuantizationMode.WEIGHT_ONLY_PTQ);
  }

  static Quantization dynamic(Path source) {
    return new Quantization(source, QuantizationMode.DYNAMIC_PTQ);
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

  Quantization granularity(Granularity requested) {
    granularity = requested;
    return this;
  }

  Quantization option(String key, Object value) {
    config.backendKwarg(key, value);
    return this;
  }

  SavedModel into(Path directory) {
    var backend = new CompressedTensorsBackend();
    ModelQuantizationConfig settings = config.build();
    try (QuantizableModel model = new TorchFormat().open(source);
        var run =
            backend.begin(
                model,
                plan(model, backend, settings),
                RunContext.builder(settings, backend.descriptor()).parallelism(2).build())) {
      return run.save(directory);
    }
  }

  private QuantizationPlan plan(
      QuantizableModel model, CompressedTensorsBackend backend, ModelQuantizationConfig settings) {
    List<ModuleDecision> decisions = new ArrayList<>();
    for (ModuleDescription module : model.modules()) {
      if (module.hasWeights()) {
        decisions.add(
            new ModuleDecision(
                module.name(),
                module.type(),
                module.typesInferred(),
                decide(backend, settings, module, Operand.WEIGHTS),
                mode.equals(QuantizationMode.DYNAMIC_PTQ)
                    ? decide(backend, settings, module, Operand.ACTIVATIONS)
                    : OperandDecision.untouched()));
      }
    }
    return new QuantizationPlan("compressed-tensors", mode, decisions, List.of());
  }

  private OperandDecision decide(
      CompressedTensorsBackend backend,
      ModelQuantizationConfig settings,
      ModuleDescription module,
      Operand operand) {
    Dtype dtype = dtypeByModule.getOrDefault(module.name(), otherwise);
    if (dtype.isNative()) {
      return OperandDecision.untouched();
    }
    Granularity requested = operand == Operand.WEIGHTS ? granularity : null;
    Support support =
        backend.supports(
            new SupportQuery(module, operand, dtype, requested, "safetensors", settings));
    return new OperandDecision(
        support instanceof Support.No ? Dtype.NATIVE : dtype,
        dtype,
        null,
        List.of(),
        support instanceof Support.No no ? no.reason() : null,
        Map.of(),
        new OperandSettings(requested, OperandSettings.DEFAULT.algorithm(), Map.of()));
  }
}
