package dev.kvant.backend.compressedtensors;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import dev.kvant.api.QuantizableModel;
import dev.kvant.backend.compressedtensors.weights.Numbers;
import dev.kvant.backend.compressedtensors.weights.Scheme;
import java.util.List;
import java.util.Map;

/**
 * What ModelOpt's unified export says of a checkpoint: {@code hf_quant_config.json}, and the same
 * in {@code config.json}.
 */
record ModelOptSection(JsonObject file, JsonObject section) {

  static final String FILE = "hf_quant_config.json";

  /** The version whose layout it is. */
  private static final String VERSION = "0.47.0";

  private static final int GROUP = 16;

  /** The sections for a plan. */
  static ModelOptSection of(QuantizableModel model, SchemePlan plan) {
    Map<Scheme, List<String>> schemes = plan.byScheme();
    var producer = new JsonObject();
    producer.addProperty("name", "modelopt");
    producer.addProperty("version", VERSION);
    JsonArray excluded = QuantizationSection.strings(QuantizationSection.ignored(model, plan));
    var quantization = new JsonObject();
    var section = new JsonObject();
    var groups = new JsonObject();
    var layers = new JsonObject();
    schemes.forEach(
        (scheme, names) -> {
          JsonObject group = group(scheme);
          group.add(
              "targets",
              QuantizationSection.strings(schemes.size() == 1 ? List.of("Linear") : names));
          groups.add("group_" + groups.size(), group);
          names.forEach(name -> layers.add(name, algorithm(scheme)));
        });
    if (schemes.size() == 1) {
      algorithm(schemes.keySet().iterator().next()).asMap().forEach(quantization::add);
    } else {
      quantization.addProperty("quant_algo", "MIXED_PRECISION");
      quantization.add("quantized_layers", layers);
      section.add("quantized_layers", layers);
    }
    quantization.add("kv_cache_quant_algo", JsonNull.INSTANCE);
    quantization.add("exclude_modules", excluded);
    var file = new JsonObject();
    file.add("producer", producer);
    file.add("quantization", quantization);
    section.add("config_groups", groups);
    section.add("ignore", excluded);
    section.add("quant_algo", quantization.get("quant_algo"));
    section.add("producer", producer);
    section.addProperty("quant_method", "modelopt");
    return new ModelOptSection(file, section);
  }

  private static JsonObject algorithm(Scheme scheme) {
    var algorithm = new JsonObject();
    boolean isFloat4 = scheme.numbers() == Numbers.NVFP4;
    algorithm.addProperty("quant_algo", isFloat4 ? "W4A16_NVFP4" : "FP8_PER_CHANNEL_PER_TOKEN");
    if (isFloat4) {
      algorithm.addProperty("group_size", GROUP);
    }
    return algorithm;
  }

  private static JsonObject group(Scheme scheme) {
    var weights = new JsonObject();
    weights.addProperty("dynamic", false);
    weights.addProperty("num_bits", scheme.numbers().bits());
    weights.addProperty("type", "float");
    var group = new JsonObject();
    if (scheme.numbers() == Numbers.NVFP4) {
      weights.addProperty("group_size", GROUP);
    } else {
      weights.addProperty("strategy", "channel");
      var inputs = new JsonObject();
      inputs.addProperty("dynamic", true);
      inputs.addProperty("num_bits", scheme.numbers().bits());
      inputs.addProperty("type", "float");
      group.add("input_activations", inputs);
    }
    group.add("weights", weights);
    return group;
  }
}
