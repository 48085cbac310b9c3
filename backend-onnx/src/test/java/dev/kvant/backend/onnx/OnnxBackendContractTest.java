package dev.kvant.backend.onnx;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.ElementType;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.QuantizableModel;
import dev.kvant.onnx.OnnxFormat;
import dev.kvant.onnx.OnnxModelFile;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.StoredTensor;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.tck.QuantizationBackendContract;
import dev.kvant.tck.SampleModel;
import dev.kvant.tck.StoredValues;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;
import org.junit.jupiter.api.DisplayName;

@DisplayName("The ONNX backend")
class OnnxBackendContractTest extends QuantizationBackendContract {

  private static final String CODES = "_quantized";

  @Override
  protected QuantizationBackend newBackend() {
    return new OnnxBackend();
  }

  @Override
  protected List<SampleModel> samples() {
    return List.of(sample("convolution"), sample("inner"), sample("float16"), sample("bfloat16"));
  }

  @Override
  protected CalibrationDataset calibrationData(SampleModel sample) {
    // The sums of the rows have both signs, so that both branches of the condition run.
    return switch (sample.name()) {
      case "convolution" -> Graphs.data(Graphs.batch(1, 2, 3, 6, 6), Graphs.batch(2, 3, 3, 6, 6));
      case "inner" -> Graphs.data(Graphs.shifted(0.5f), Graphs.shifted(-0.5f));
      default -> Graphs.data(Graphs.batch(1, 4, 8), Graphs.batch(2, 4, 8));
    };
  }

  /** ONNX Runtime has no product of bfloat16 for CPUs. */
  @Override
  protected boolean canBeRun(SampleModel sample) {
    return !sample.name().equals("bfloat16");
  }

  /** Batch norms stay, so that modules can be compared one by one. */
  @Override
  protected void configure(ModelQuantizationConfig.Builder config) {
    config.backendKwarg("preprocess", false);
  }

  /** Codes by scales, which all rewritten graphs name after the constant. */
  @Override
  protected Optional<float[]> restoredWeight(QuantizableModel artifact, String module) {
    List<Graph> graphs = ((OnnxModelFile) artifact).load().graph().all();
    return restored(graphs, (graph, node) -> module.equals(graph.place() + node.name()))
        .or(() -> restored(graphs, (graph, node) -> module.equals(node.name())));
  }

  private static Optional<float[]> restored(List<Graph> graphs, BiPredicate<Graph, Node> wanted) {
    return graphs.stream()
        .flatMap(
            graph ->
                graph.nodes().stream()
                    .filter(node -> wanted.test(graph, node))
                    .flatMap(node -> node.inputs().stream())
                    .flatMap(input -> restored(graph, input).stream()))
        .findFirst();
  }

  private static Optional<float[]> restored(Graph graph, String input) {
    Graph home = graph.home(input);
    Node producer = home == null ? null : home.producer(input);
    String constant = producer == null ? input : producer.input(0);
    if (!constant.endsWith(CODES)) {
      return Optional.empty();
    }
    StoredTensor codes = tensor(graph, constant);
    StoredTensor scales = tensor(graph, constant.replace(CODES, "_scale"));
    int axis = codes.dims().size() - 1;
    if (producer != null) {
      axis = producer.is("Transpose") ? 0 : (int) producer.intAttribute("axis", 1);
    }
    return Optional.of(
        StoredValues.dequantized(floats(codes), 0, floats(scales), codes.dims(), axis));
  }

  private static StoredTensor tensor(Graph graph, String constant) {
    return graph.constant(constant).flatMap(Initializer::tensor).orElseThrow();
  }

  private static float[] floats(StoredTensor tensor) {
    return StoredValues.floats(
        new ModelTensor() {
          @Override
          public ElementType elementType() {
            return tensor.type().elementType().orElseThrow();
          }

          @Override
          public List<Long> shape() {
            return tensor.dims();
          }

          @Override
          public String identity() {
            return tensor.name();
          }

          @Override
          public void read(long firstElement, ByteBuffer target) {
            target.put(
                tensor.content().read(firstElement * elementType().bytes(), target.remaining()));
          }
        });
  }

  @Override
  protected Optional<SampleModel> sampleWithNonFiniteWeight() {
    return Optional.of(sample("not_finite"));
  }

  private static SampleModel sample(String name) {
    return new SampleModel(name, Graphs.model(name), new OnnxFormat());
  }
}
