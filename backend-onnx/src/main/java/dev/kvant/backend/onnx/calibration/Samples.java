package dev.kvant.backend.onnx.calibration;

import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.proto.TensorShapeProto;
import dev.kvant.onnx.proto.ValueInfoProto;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Cuts batches into single samples where a model takes any number of them. ONNX Runtime computes
 * the last bits of a product differently for few rows and for many; one sample at a time, they do
 * not depend on how the data was cut into batches. It needs less memory too.
 */
final class Samples {

  /** Names of a first dimension along which the values of one sample follow each other. */
  private static final Pattern SEQUENCE = Pattern.compile("seq|time|len|frame|token|step");

  private static final Set<String> SEQUENTIAL_OPERATORS =
      Set.of("LSTM", "GRU", "RNN", "Loop", "Scan");

  private final boolean isCuttable;

  private Samples(boolean isCuttable) {
    this.isCuttable = isCuttable;
  }

  /** The way to cut batches for a model. */
  static Samples of(OnnxModel model) {
    Set<String> names = new HashSet<>();
    boolean isCuttable = true;
    List<ValueInfoProto> values = new ArrayList<>(model.graph().inputs());
    values.removeIf(input -> model.graph().initializers().containsKey(input.getName()));
    values.addAll(model.graph().outputs());
    for (ValueInfoProto value : values) {
      TensorShapeProto shape = value.getType().getTensorType().getShape();
      if (shape.getDimCount() == 0 || shape.getDim(0).hasDimValue()) {
        isCuttable = false;
      } else {
        names.add(shape.getDim(0).getDimParam().toLowerCase(Locale.ROOT));
      }
    }
    names.remove("");
    isCuttable &=
        names.size() <= 1 && names.stream().noneMatch(name -> SEQUENCE.matcher(name).find());
    for (Graph graph : model.graph().all()) {
      isCuttable &=
          graph.nodes().stream().map(Node::opType).noneMatch(SEQUENTIAL_OPERATORS::contains);
    }
    return new Samples(isCuttable);
  }

  /** The samples of a batch, or the batch itself if it cannot be cut. */
  List<TensorBatch> of(TensorBatch batch) {
    Set<Long> counts = new HashSet<>();
    batch
        .inputs()
        .values()
        .forEach(tensor -> counts.add(tensor.shape().isEmpty() ? 0 : tensor.shape().get(0)));
    if (!isCuttable || counts.size() != 1 || counts.contains(0L)) {
      return List.of(batch);
    }
    List<TensorBatch> samples = new ArrayList<>();
    long count = counts.iterator().next();
    for (long i = 0; i < count; i++) {
      Map<String, Tensor> inputs = new LinkedHashMap<>();
      for (Map.Entry<String, Tensor> entry : batch.inputs().entrySet()) {
        inputs.put(entry.getKey(), row(entry.getValue(), i));
      }
      samples.add(new TensorBatch(inputs));
    }
    return samples;
  }

  private static Tensor row(Tensor tensor, long index) {
    List<Long> shape = new ArrayList<>(tensor.shape());
    ByteBuffer data = tensor.data();
    int bytes = (int) (data.remaining() / shape.get(0));
    shape.set(0, 1L);
    return Tensor.of(
        tensor.elementType(), shape, data.slice(Math.toIntExact(index * bytes), bytes));
  }
}
