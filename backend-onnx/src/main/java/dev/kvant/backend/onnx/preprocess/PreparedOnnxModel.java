package dev.kvant.backend.onnx.preprocess;

import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.onnx.OnnxModelFile;
import dev.kvant.onnx.graph.ConstantValues;
import dev.kvant.onnx.graph.ModuleNames;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.OnnxModule;
import dev.kvant.onnx.graph.OnnxModules;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * An ONNX model as it will be quantized: its modules are those of the graph once copies of
 * constants, nodes that compute constants, and what convolutions can do along the way are gone.
 *
 * @since 0.1.0
 */
public final class PreparedOnnxModel implements QuantizableModel {

  /**
   * A copy of the graph, ready to be quantized.
   *
   * @param graph the copy
   * @param modules its modules, under the names that they have in the file
   * @param operators the nodes without parameters of its own graph, likewise
   * @since 0.1.0
   */
  public record Prepared(OnnxModel graph, List<OnnxModule> modules, List<OnnxModule> operators) {

    public Prepared {
      modules = List.copyOf(modules);
      operators = List.copyOf(operators);
    }
  }

  private final OnnxModelFile file;
  private final @Nullable ConstantFolding folding;
  private final List<ModuleDescription> modules;
  private final List<ModuleDescription> operators;

  private PreparedOnnxModel(OnnxModelFile file, boolean preprocess) {
    this.file = file;
    OnnxModel model = load();
    ModuleNames names = ModuleNames.of(model);
    if (preprocess) {
      share(model);
    }
    this.folding = preprocess ? ConstantFolding.of(model) : null;
    Prepared prepared = prepare(model, names, module -> true);
    this.modules = descriptions(prepared.modules());
    this.operators = descriptions(prepared.operators());
  }

  private static List<ModuleDescription> descriptions(List<OnnxModule> modules) {
    return modules.stream().map(OnnxModule::description).toList();
  }

  private OnnxModel load() {
    OnnxModel model = file.load();
    OpsetCheck.check(model);
    OldOperators.raise(model);
    return model;
  }

  private static void share(OnnxModel model) {
    IdentityForwarding.apply(model);
    EqualWeights.apply(model);
  }

  /**
   * Prepares a model, which must stay open.
   *
   * @param preprocess whether the graph may be changed beyond what quantization itself does
   * @throws dev.kvant.api.UnsupportedModelException if its operators are too old or too new
   */
  public static PreparedOnnxModel of(OnnxModelFile file, boolean preprocess) {
    return new PreparedOnnxModel(file, preprocess);
  }

  /**
   * A new copy of the graph, the same each time for the same decisions.
   *
   * @param isQuantized whether the weights of the module of that name will be quantized: where they
   *     will not, fewer constants come out smaller by being folded
   */
  public Prepared prepare(Predicate<String> isQuantized) {
    OnnxModel model = load();
    ModuleNames names = ModuleNames.of(model);
    if (folding != null) {
      share(model);
    }
    return prepare(model, names, isQuantized);
  }

  /** Changes a copy of the graph whose equal values are shared already. */
  private Prepared prepare(OnnxModel model, ModuleNames names, Predicate<String> isQuantized) {
    ConstantValues constants = new ConstantValues();
    if (folding != null) {
      Predicate<Node> decided = node -> isQuantized.test(names.name(node));
      folding.apply(model, decided);
      ConvolutionFusion.apply(model);
      MeanPooling.apply(model);
      constants = new ConstantValues(folding::tensor);
    }
    List<OnnxModule> found = OnnxModules.of(model, names, constants);
    return new Prepared(model, found, OnnxModules.operators(model, names, constants, found));
  }

  @Override
  public Path source() {
    return file.source();
  }

  @Override
  public List<Path> files() {
    return file.files();
  }

  @Override
  public String format() {
    return file.format();
  }

  @Override
  public List<ModuleDescription> modules() {
    return modules;
  }

  @Override
  public List<ModuleDescription> operators() {
    return operators;
  }

  @Override
  public List<String> compatibleFormats() {
    return file.compatibleFormats();
  }

  /** The tensors of the file, also those of modules that are gone. */
  @Override
  public Map<String, ModelTensor> tensors() {
    return file.tensors();
  }

  @Override
  public List<String> opaqueEntries() {
    return file.opaqueEntries();
  }

  @Override
  public long tensorBytes() {
    return file.tensorBytes();
  }

  @Override
  public Optional<byte[]> record() {
    return file.record();
  }

  @Override
  public Optional<String> quantizedBy() {
    return file.quantizedBy();
  }

  /** Does nothing: the file is closed by who opened it. */
  @Override
  public void close() {
    // The file is the caller's.
  }
}
