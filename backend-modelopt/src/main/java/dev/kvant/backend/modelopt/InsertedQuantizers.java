package dev.kvant.backend.modelopt;

import dev.kvant.backend.modelopt.ModelOptOptions.Version;
import dev.kvant.torch.script.ScriptModule;
import dev.kvant.torch.script.ScriptTree;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Tells which quantizers ModelOpt inserts into a model before it restores a checkpoint, which must
 * name exactly these.
 *
 * <p>ModelOpt decides by the Python class of a module; the path of a class in an archive is that of
 * the Python class. A class that is derived from one of PyTorch's keeps nothing of that in the
 * archive and is taken for one that gets no quantizers.
 */
final class InsertedQuantizers {

  /** Quantizes what a module is given. */
  static final String INPUT = "input_quantizer";

  /** Quantizes the weight that a module multiplies with. */
  static final String WEIGHT = "weight_quantizer";

  private static final String OUTPUT = "output_quantizer";
  private static final String TORCH = "torch.nn.modules.";
  private static final String TRANSFORMERS = "transformers.";

  /** What torch.jit puts around the path of a Python class. */
  private static final Pattern ADDED = Pattern.compile("^__torch__\\.|___torch_mangle_\\d+\\.");

  private static final Set<String> WITH_WEIGHT =
      Set.of(
          "linear.Linear",
          "linear.NonDynamicallyQuantizableLinear",
          "linear._LinearWithBias",
          "conv.Conv1d",
          "conv.Conv2d",
          "conv.Conv3d",
          "conv.ConvTranspose1d",
          "conv.ConvTranspose2d",
          "conv.ConvTranspose3d");

  private static final Set<String> WITHOUT_WEIGHT =
      Set.of(
          "batchnorm.BatchNorm1d",
          "batchnorm.BatchNorm2d",
          "batchnorm.BatchNorm3d",
          "instancenorm.InstanceNorm1d",
          "instancenorm.InstanceNorm2d",
          "instancenorm.InstanceNorm3d",
          "activation.LeakyReLU",
          "pooling.MaxPool1d",
          "pooling.MaxPool2d",
          "pooling.MaxPool3d",
          "pooling.AvgPool1d",
          "pooling.AvgPool2d",
          "pooling.AvgPool3d",
          "pooling.AdaptiveAvgPool1d",
          "pooling.AdaptiveAvgPool2d",
          "pooling.AdaptiveAvgPool3d");

  private static final Set<String> RECURRENT = Set.of("rnn.LSTM", "rnn.GRU", "rnn.RNN");

  private final ScriptTree tree;
  private final Version version;
  private final boolean isTransformer;

  private InsertedQuantizers(ScriptTree tree, Version version) {
    this.tree = tree;
    this.version = version;
    this.isTransformer =
        tree.module("").map(root -> path(root).startsWith(TRANSFORMERS)).orElse(false);
  }

  /**
   * The quantizers of all modules.
   *
   * @return by module the names of its quantizers; of modules that are one in Python only the first
   */
  static Map<ScriptModule, List<String>> of(
      ScriptTree tree, SharedModules shared, Version version) {
    var inserted = new InsertedQuantizers(tree, version);
    Map<ScriptModule, List<String>> quantizers = new LinkedHashMap<>();
    for (ScriptModule module : tree.modules()) {
      List<String> own = inserted.of(module);
      if (!own.isEmpty() && shared.first(module) == module) {
        quantizers.put(module, own);
      }
    }
    return quantizers;
  }

  private List<String> of(ScriptModule module) {
    String path = path(module);
    if (path.startsWith(TORCH)) {
      return ofTorch(module, path.substring(TORCH.length()));
    }
    if (isTurnedByModelOpt(module)) {
      return version == Version.V0_47 ? List.of(INPUT, OUTPUT, WEIGHT) : List.of();
    }
    return version == Version.V0_47 && isTransformer && isAttention(module)
        ? List.of("q_bmm_quantizer", "k_bmm_quantizer", "v_bmm_quantizer", "p_bmm_quantizer")
        : List.of();
  }

  private List<String> ofTorch(ScriptModule module, String type) {
    if (WITH_WEIGHT.contains(type)) {
      return List.of(INPUT, OUTPUT, WEIGHT);
    }
    if (WITHOUT_WEIGHT.contains(type)) {
      return List.of(INPUT, OUTPUT);
    }
    if (RECURRENT.contains(type)) {
      return ofRecurrent(module.type().parameters());
    }
    if (version == Version.V0_47 && type.equals("sparse.Embedding")) {
      return List.of(WEIGHT, INPUT, OUTPUT);
    }
    return version == Version.V0_47 && type.equals("normalization.LayerNorm")
        ? List.of(INPUT, OUTPUT)
        : List.of();
  }

  /**
   * A quantizer for each matrix, and for the input of each layer. ModelOpt counts a layer of two
   * directions as two, and gives each of them two directions again.
   */
  private static List<String> ofRecurrent(List<String> parameters) {
    List<String> quantizers = new ArrayList<>();
    parameters.stream()
        .filter(name -> name.startsWith("weight"))
        .forEach(name -> quantizers.add(name + "_" + WEIGHT));
    long cells = parameters.stream().filter(name -> name.startsWith("weight_ih")).count();
    boolean isBidirectional = parameters.contains("weight_ih_l0_reverse");
    boolean isProjected = parameters.contains("weight_hr_l0");
    for (int cell = 0; cell < cells; cell++) {
      for (String direction : isBidirectional ? List.of("", "_reverse") : List.of("")) {
        quantizers.add("layer_%s%s_%s".formatted(cell, direction, INPUT));
        if (isProjected) {
          quantizers.add("proj_%s%s_%s".formatted(cell, direction, INPUT));
        }
      }
    }
    return quantizers;
  }

  /** Whether it is an attention of transformers that does not delegate to another one. */
  private boolean isAttention(ScriptModule module) {
    return hasNameOfAttention(module)
        && tree.places().entrySet().stream()
            .noneMatch(
                place ->
                    place.getKey().startsWith(module.name() + ".")
                        && hasNameOfAttention(place.getValue()));
  }

  /** Whether ModelOpt turns its weight over to make a Linear of it. */
  static boolean isTurnedByModelOpt(ScriptModule module) {
    return path(module).equals("transformers.pytorch_utils.Conv1D");
  }

  private static boolean hasNameOfAttention(ScriptModule module) {
    return module.type().simpleName().endsWith("Attention");
  }

  /** The qualified name of the Python class, as in {@code torch.nn.modules.linear.Linear}. */
  static String path(ScriptModule module) {
    return ADDED.matcher(module.type().name().qualifiedName()).replaceAll("");
  }
}
