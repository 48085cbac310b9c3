package dev.kvant.backend.compressedtensors;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.backend.compressedtensors.weights.Numbers;
import dev.kvant.backend.compressedtensors.weights.Scheme;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The section {@code quantization_config} of a {@code config.json}. */
final class QuantizationSection {

  private static final int GROUP_OF_INPUT = 128;

  private QuantizationSection() {}

  /** The section for a plan. */
  static JsonObject of(QuantizableModel model, SchemePlan plan) {
    Map<Scheme, List<String>> schemes = plan.byScheme();
    var groups = new JsonObject();
    schemes.forEach(
        (scheme, names) -> {
          List<String> targets = schemes.size() == 1 ? List.of("Linear") : names;
          groups.add("group_" + groups.size(), group(scheme, targets));
        });
    List<String> formats = schemes.keySet().stream().map(Scheme::format).distinct().toList();
    var section = new JsonObject();
    section.addProperty("quant_method", "compressed-tensors");
    section.addProperty(
        "format",
        switch (formats.size()) {
          case 0 -> "dense";
          case 1 -> formats.get(0);
          default -> "mixed-precision";
        });
    section.addProperty("quantization_status", "compressed");
    section.add("config_groups", groups);
    section.add("ignore", strings(ignored(model, plan)));
    section.add("kv_cache_scheme", JsonNull.INSTANCE);
    section.add("global_compression_ratio", JsonNull.INSTANCE);
    return section;
  }

  /** The modules that may be a Linear to an engine and stay native. */
  static List<String> ignored(QuantizableModel model, SchemePlan plan) {
    List<String> ignored = new ArrayList<>();
    for (ModuleDescription module : model.modules()) {
      boolean isMatrix =
          module.weight().filter(weight -> weight.shape().size() == 2).isPresent()
              && !module.type().equals("Embedding");
      if (isMatrix && plan.of(module.name()).isEmpty()) {
        ignored.addAll(module.names());
      }
    }
    OutputLayers.absent(model).stream()
        .filter(name -> !ignored.contains(name))
        .forEach(ignored::add);
    return ignored;
  }

  static JsonArray strings(List<String> strings) {
    var array = new JsonArray();
    strings.forEach(array::add);
    return array;
  }

  private static JsonObject group(Scheme scheme, List<String> targets) {
    var group = new JsonObject();
    group.add("targets", strings(targets));
    group.add("weights", weights(scheme));
    group.add("input_activations", scheme.quantizesInput() ? inputs(scheme) : JsonNull.INSTANCE);
    group.add("output_activations", JsonNull.INSTANCE);
    group.addProperty("format", scheme.format());
    return group;
  }

  private static JsonObject weights(Scheme scheme) {
    Granularity granularity = scheme.granularity();
    JsonObject weights = numbers(scheme.numbers(), false);
    if (granularity instanceof Granularity.PerGroup group) {
      weights.addProperty("strategy", scheme.numbers() == Numbers.NVFP4 ? "tensor_group" : "group");
      weights.addProperty("group_size", group.size());
    } else if (granularity instanceof Granularity.PerBlock block) {
      var structure = new JsonArray();
      structure.add(block.rows());
      structure.add(block.columns());
      weights.addProperty("strategy", "block");
      weights.add("block_structure", structure);
    } else {
      weights.addProperty("strategy", "channel");
    }
    if (scheme.numbers().isFloat4()) {
      weights.addProperty(
          "scale_dtype", scheme.numbers() == Numbers.NVFP4 ? "torch.float8_e4m3fn" : "torch.uint8");
    }
    return weights;
  }

  private static JsonObject inputs(Scheme scheme) {
    JsonObject inputs = numbers(scheme.numbers(), true);
    if (scheme.granularity() instanceof Granularity.PerBlock) {
      inputs.addProperty("strategy", "group");
      inputs.addProperty("group_size", GROUP_OF_INPUT);
    } else {
      inputs.addProperty("strategy", "token");
    }
    return inputs;
  }

  private static JsonObject numbers(Numbers numbers, boolean dynamic) {
    var args = new JsonObject();
    args.addProperty("num_bits", numbers.bits());
    args.addProperty("type", numbers.isFloatingPoint() ? "float" : "int");
    args.addProperty("symmetric", numbers.isSymmetric());
    args.addProperty("dynamic", dynamic);
    return args;
  }
}
