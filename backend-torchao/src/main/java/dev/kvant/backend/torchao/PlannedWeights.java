package dev.kvant.backend.torchao;

import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationException;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.torch.TorchModel;
import dev.kvant.torch.tensor.ChannelLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The weights that a plan quantizes. Tied weights of one dtype are one.
 *
 * @param byModule the weight of each module that is quantized in some artifact, by the module's
 *     first name
 */
record PlannedWeights(Map<String, PlannedWeight> byModule) {

  /** The tensor that is quantized. */
  static final String WEIGHT = "weight";

  /**
   * A module's weight.
   *
   * @param decision what is planned
   * @param module the module
   * @param kind what it is
   * @param weight the tensor to quantize
   * @param packed the same tensor for a product with codes in the runnable artifact
   */
  record PlannedWeight(
      ModuleDecision decision,
      ModuleDescription module,
      ModuleKind kind,
      QuantizedWeight weight,
      QuantizedWeight packed) {

    boolean isIn(String artifact) {
      return !decision.weights().dtypeIn(artifact).isNative();
    }

    /** Whether the module's input is quantized at run time. */
    boolean quantizesInput(String artifact) {
      return !decision.activations().dtypeIn(artifact).isNative();
    }
  }

  PlannedWeights {
    byModule = Collections.unmodifiableMap(new LinkedHashMap<>(byModule));
  }

  /**
   * Finds the weights in a model.
   *
   * @param fitsPairs whether weights for products with codes get fewer of them where pairs would
   *     overflow
   * @throws QuantizationException if the plan is not for the model
   */
  static PlannedWeights of(QuantizableModel model, QuantizationPlan plan, boolean fitsPairs) {
    Map<String, ModuleDescription> modules = new HashMap<>();
    model.modules().forEach(module -> modules.put(module.name(), module));
    Map<List<Object>, QuantizedWeight> shared = new HashMap<>();
    Map<String, PlannedWeight> weights = new LinkedHashMap<>();
    for (ModuleDecision decision : plan.modules()) {
      Optional<WeightType> type = WeightType.of(decision.weights().dtype());
      if (type.isEmpty()) {
        continue;
      }
      ModuleDescription module = modules.get(decision.module());
      ModelTensor tensor = model.tensors().get(TorchModel.qualified(decision.module(), WEIGHT));
      List<String> types = new ArrayList<>(List.of(decision.type()));
      Optional<ModuleKind> kind = Optional.empty();
      if (module != null) {
        types.addAll(module.types());
        kind = ModuleKind.of(types);
      }
      if (module == null || tensor == null || kind.isEmpty()) {
        throw new QuantizationException(
            "the plan quantizes module '%s', which %s has not; prepare the model again"
                .formatted(decision.module(), model.source()));
      }
      var planned =
          new Shared(shared, decision.module(), tensor, kind.get().channelAxis(), type.get());
      weights.put(
          decision.module(),
          new PlannedWeight(
              decision, module, kind.get(), planned.weight(false), planned.weight(fitsPairs)));
    }
    return new PlannedWeights(weights);
  }

  /** Weights of the same tensor, quantized in the same way, are one. */
  private record Shared(
      Map<List<Object>, QuantizedWeight> all,
      String module,
      ModelTensor tensor,
      int axis,
      WeightType type) {

    QuantizedWeight weight(boolean fitsPairs) {
      return all.computeIfAbsent(
          List.of(tensor.identity(), type, axis, fitsPairs),
          key ->
              new QuantizedWeight(
                  TorchModel.qualified(module, WEIGHT),
                  tensor,
                  ChannelLayout.of(tensor.shape(), axis),
                  type,
                  fitsPairs));
    }
  }

  /** The weights that an artifact holds quantized, by every name that its state dict has. */
  Map<String, PlannedWeight> inStateDict(String artifact) {
    Map<String, PlannedWeight> weights = new LinkedHashMap<>();
    for (PlannedWeight planned : byModule.values()) {
      if (planned.isIn(artifact)) {
        for (String name : planned.module().names()) {
          weights.put(TorchModel.qualified(name, WEIGHT), planned);
        }
      }
    }
    return weights;
  }
}
