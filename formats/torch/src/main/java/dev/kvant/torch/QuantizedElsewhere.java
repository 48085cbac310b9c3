package dev.kvant.torch;

import dev.kvant.api.ElementType;
import dev.kvant.api.Printable;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleTuple;
import dev.kvant.torch.pickle.PickleValue;
import dev.kvant.torch.script.ScriptModule;
import dev.kvant.torch.script.ScriptTree;
import dev.kvant.torch.tensor.QuantizedTensor;
import dev.kvant.torch.tensor.StoredTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Recognizes models that another tool has quantized, by what such tools leave in a file: tensors of
 * their own classes, packed weights, and names beside those of the modules.
 */
final class QuantizedElsewhere {

  private static final String TORCH_AO = "torch.ao.quantization";

  /** What weights are not trained in. */
  private static final Set<ElementType> CODES =
      Set.of(
          ElementType.INT8,
          ElementType.UINT8,
          ElementType.INT32,
          ElementType.FLOAT8_E4M3FN,
          ElementType.FLOAT8_E5M2);

  /** What a tool leaves: an entry whose local name matches, beside others of the same module. */
  private record Trace(String tool, Pattern entry, List<String> beside, boolean codesInEntry) {

    static Trace of(String tool, String entry, String... beside) {
      return new Trace(tool, Pattern.compile("(?<module>.*?)" + entry), List.of(beside), false);
    }

    /** An entry counts only if it holds numbers that are no weights as trained. */
    static Trace ofCodes(String tool, String entry, String... beside) {
      return new Trace(tool, Pattern.compile("(?<module>.*?)" + entry), List.of(beside), true);
    }
  }

  private static final List<Trace> TRACES =
      List.of(
          Trace.of("ModelOpt", "[a-z0-9_]*_quantizer\\._amax"),
          Trace.of(TORCH_AO, "_packed_params(\\._packed_params)?"),
          Trace.of(TORCH_AO, "(weight_fake_quant|activation_post_process)\\.fake_quant_enabled"),
          Trace.of("bitsandbytes", "weight\\.quant_state\\.bitsandbytes__\\w+"),
          Trace.of("bitsandbytes", "weight\\.absmax", "weight.quant_map"),
          Trace.ofCodes("bitsandbytes", "weight", "SCB"),
          Trace.of("GPTQ or AWQ", "qweight", "scales"),
          Trace.of("compressed-tensors", "weight_packed", "weight_scale"),
          Trace.of("HQQ", "W_q", "scale"),
          Trace.of("AQLM", "codebooks", "codes"),
          Trace.ofCodes("MXFP4", "(?<weights>\\w+)_blocks", "${weights}_scales"),
          Trace.ofCodes("compressed-tensors", "weight", "weight_scale"),
          Trace.ofCodes("a float8 recipe", "weight", "weight_scale_inv"),
          Trace.ofCodes("EETQ", "weight", "weight_scales"));

  private QuantizedElsewhere() {}

  /**
   * The tool that has quantized a state dict, and where that shows.
   *
   * @param tensors the tensors by name
   * @param opaque the names of all other entries
   * @param config what the file beside them says of the model
   */
  static Optional<String> by(
      Map<String, ? extends StoredTensor> tensors, List<String> opaque, ModelConfig config) {
    Map<String, @Nullable StoredTensor> entries = new LinkedHashMap<>(tensors);
    opaque.forEach(name -> entries.putIfAbsent(name, null));
    for (Map.Entry<String, @Nullable StoredTensor> entry : entries.entrySet()) {
      StoredTensor tensor = entry.getValue();
      if (tensor instanceof QuantizedTensor quantized) {
        return Optional.of(
            told("torchao", entry.getKey(), holdsCodes(quantized.codes().elementType())));
      }
      for (Trace trace : TRACES) {
        if (matches(trace, entry.getKey(), tensor, entries.keySet())) {
          return Optional.of(
              told(
                  trace.tool(),
                  entry.getKey(),
                  tensor != null && trace.codesInEntry()
                      ? holdsCodes(tensor.elementType())
                      : "is among its entries"));
        }
      }
    }
    return config
        .quantization()
        .filter(method -> tensors.values().stream().anyMatch(QuantizedElsewhere::isMatrixOfCodes))
        .map(method -> "%s, as config.json says".formatted(Printable.shortened(method)));
  }

  private static boolean matches(
      Trace trace, String name, @Nullable StoredTensor tensor, Set<String> names) {
    Matcher matcher = trace.entry().matcher(name);
    if (!matcher.matches() || (trace.codesInEntry() && (tensor == null || !isCodes(tensor)))) {
      return false;
    }
    String module = matcher.group("module");
    boolean isLocal = module.isEmpty() || module.endsWith(".");
    return isLocal
        && trace.beside().stream()
            .map(
                beside ->
                    beside.contains("${weights}")
                        ? beside.replace("${weights}", matcher.group("weights"))
                        : beside)
            .allMatch(beside -> names.contains(module + beside));
  }

  /** Whether a tensor holds codes. */
  private static boolean isCodes(StoredTensor tensor) {
    return CODES.contains(tensor.elementType());
  }

  private static boolean isMatrixOfCodes(StoredTensor tensor) {
    return tensor.shape().size() > 1 && isCodes(tensor);
  }

  /** The tool that a tensor of a pickle is of, if it is one of a quantized kind. */
  static Optional<String> by(String name, PickleValue value) {
    if (!(value instanceof PickleObject object)
        || !(object.callable() instanceof PickleGlobal function)) {
      return Optional.empty();
    }
    if (function.name().startsWith("_rebuild_parameter") && object.arguments().size() > 0) {
      // A parameter of a parameter is never written; looking no deeper keeps hostile nests out.
      return object.arguments().get(0) instanceof PickleObject data
              && !(data.callable() instanceof PickleGlobal inner
                  && inner.name().startsWith("_rebuild_parameter"))
          ? by(name, data)
          : Optional.empty();
    }
    if (function.qualifiedName().equals("torch._utils._rebuild_qtensor")) {
      return Optional.of(told(TORCH_AO, name, "is a quantized tensor"));
    }
    return function.name().startsWith("_rebuild_from_type")
            && object.arguments().size() > 1
            && object.arguments().get(1) instanceof PickleGlobal type
            && type.module().startsWith("torchao.")
        ? Optional.of(told("torchao", name, "is of its class " + type.name()))
        : Optional.empty();
  }

  /** The tool that has packed weights of an archive's modules. */
  static Optional<String> by(ScriptTree tree) {
    for (ScriptModule module : tree.modules()) {
      for (PickleValue value : module.attributes().entries().values()) {
        if (isPacked(value)) {
          return Optional.of(told(TORCH_AO, module.label(), "holds packed weights"));
        }
      }
    }
    return Optional.empty();
  }

  private static boolean isPacked(PickleValue value) {
    if (value instanceof PickleTuple tuple) {
      return tuple.items().stream()
          .anyMatch(item -> item instanceof PickleObject && isPacked(item));
    }
    return value instanceof PickleObject object
        && object.callable() instanceof PickleGlobal type
        && type.module().startsWith("__torch__.torch.classes.")
        && type.name().contains("PackedParams");
  }

  private static String holdsCodes(ElementType type) {
    return "holds %s codes".formatted(type);
  }

  private static String told(String tool, String name, String how) {
    return "%s: '%s' %s".formatted(tool, Printable.shortened(name), how);
  }
}
