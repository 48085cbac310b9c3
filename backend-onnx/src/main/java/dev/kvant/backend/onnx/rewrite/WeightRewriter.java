package dev.kvant.backend.onnx.rewrite;

import dev.kvant.api.Dtype;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizationException;
import dev.kvant.backend.onnx.plan.PlannedGraph.Planned;
import dev.kvant.backend.onnx.weights.QuantizedWeight;
import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.numerics.QuantizedType;
import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.OnnxModule;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Stores the weights of a graph quantized. A product reads its weight through {@code
 * DequantizeLinear}; a {@code Gather} reads codes and scales of the rows that it wants and
 * multiplies only those.
 */
final class WeightRewriter {

  /** What makes a quantized weight: equal for modules that share one. */
  private record Key(Initializer constant, Dtype dtype, int axis, OperandSettings search) {}

  /** A quantized weight and the name of its codes in the model's graph. */
  private record Stored(QuantizedWeight weight, StoredTensor source, String codes) {}

  private final OnnxModel model;
  private final boolean hasOwnCodes;
  private final int parallelism;
  private final Map<Key, Stored> stored = new HashMap<>();
  private final Map<Key, String> dequantized = new HashMap<>();
  private final Map<Key, String> scales = new HashMap<>();
  private final Map<Key, String> rowScales = new HashMap<>();

  /**
   * @param hasOwnCodes whether each reader of a shared weight gets int8 codes of its own, which are
   *     stored once
   */
  WeightRewriter(OnnxModel model, boolean hasOwnCodes, int parallelism) {
    this.model = model;
    this.hasOwnCodes = hasOwnCodes;
    this.parallelism = parallelism;
  }

  /**
   * Quantizes a weight of a module.
   *
   * @throws QuantizationException if the weight has a value that is not finite
   */
  QuantizedWeight rewrite(Planned module, OnnxModule.Weight weight) {
    OperandDecision decision = module.decision().weights();
    int axis = module.scaleAxis();
    Node node = module.node();
    Initializer constant = module.graph().constant(node.input(weight.input())).orElseThrow();
    Key key = new Key(constant, decision.dtype(), axis, search(decision.settings()));
    Stored quantized = stored.computeIfAbsent(key, each -> store(module, weight.tensor(), each));
    if (node.is("Gather")) {
      String scales = rowScales.computeIfAbsent(key, each -> addRowScales(each, quantized));
      lookUp(module.graph(), node, quantized, scales, axis >= 0);
    } else {
      node.inputs().set(weight.input(), dequantized(key, quantized));
    }
    return quantized.weight();
  }

  /** The value that a further reader of a weight reads. */
  private String dequantized(Key key, Stored quantized) {
    String known = dequantized.get(key);
    if (known == null) {
      String first = dequantize(key, quantized, quantized.codes());
      dequantized.put(key, first);
      return first;
    }
    if (!hasOwnCodes || !key.dtype().equals(Dtype.INT8)) {
      return known;
    }
    // ONNX Runtime's x64quantprecision replaces codes and zero points once for each reader, and
    // fails at the second reader of the same. A Reshape, unlike an Identity, makes a value of its
    // own when it is folded.
    String name = quantized.source().name();
    List<Long> dims = quantized.source().dims();
    String shape = model.freshName(name + "_shape");
    add(
        StoredTensor.ofLongs(
            shape,
            List.of((long) dims.size()),
            dims.stream().mapToLong(Long::longValue).toArray()));
    String codes = model.freshName(quantized.codes());
    String output = dequantize(key, quantized, codes);
    model
        .graph()
        .nodes()
        .add(
            0,
            Node.create(
                model.freshName(name + "_Reshape"),
                "Reshape",
                List.of(quantized.codes(), shape),
                List.of(codes)));
    return output;
  }

  /** What of the settings makes a difference for the range of a weight. */
  static OperandSettings search(OperandSettings settings) {
    return QuantizedWeight.SEARCHED.contains(settings.algorithm())
        ? new OperandSettings(null, settings.algorithm(), settings.algorithmOptions())
        : OperandSettings.DEFAULT;
  }

  private Stored store(Planned module, StoredTensor source, Key key) {
    FloatType type = source.type().floatType().orElseThrow();
    try {
      QuantizedWeight weight =
          QuantizedWeight.of(
              source, type, codes(key.dtype()), key.axis(), key.search(), parallelism);
      String name = model.freshName(source.name() + "_quantized");
      add(new StoredTensor(name, dataType(key.dtype()), source.dims(), weight));
      return new Stored(weight, source, name);
    } catch (NonFiniteValueException e) {
      throw new QuantizationException(
          "the weight '%s' of %s is %s at index %d and cannot be quantized; retrain or repair it"
              .formatted(source.name(), module.name(), e.value(), e.index()),
          e);
    }
  }

  private String dequantize(Key key, Stored stored, String codes) {
    String name = stored.source().name();
    int channels = stored.weight().scales().length;
    List<Long> shape = key.axis() < 0 ? List.of() : List.of((long) channels);
    DataType scaleType = scaleType(stored);
    String scale =
        this.scales.computeIfAbsent(
            key,
            each -> {
              String fresh = model.freshName(name + "_scale");
              add(new StoredTensor(fresh, scaleType, shape, stored.weight().scaleContent()));
              return fresh;
            });
    String zeroPoint = model.freshName(name + "_zero_point");
    add(StoredTensor.of(zeroPoint, dataType(key.dtype()), shape, ByteBuffer.allocate(channels)));
    String output = model.freshName(name + "_DequantizeLinear_Output");
    boolean isWide = scaleType != stored.source().type();
    String values = isWide ? model.freshName(name + "_float32") : output;
    if (isWide) {
      model.graph().nodes().add(0, cast(name, values, stored.source().type(), output));
    }
    Node dequantize =
        Node.create(
            model.freshName(name + "_DequantizeLinear"),
            "DequantizeLinear",
            List.of(codes, scale, zeroPoint),
            List.of(values));
    if (key.axis() >= 0) {
      dequantize.with("axis", key.axis());
    }
    model.graph().nodes().add(0, dequantize);
    return output;
  }

  /** Scales of a shape that lets rows of them be looked up as rows of codes are. */
  private String addRowScales(Key key, Stored stored) {
    Long[] shape = new Long[key.axis() < 0 ? 0 : stored.source().dims().size()];
    Arrays.fill(shape, 1L);
    if (key.axis() >= 0) {
      shape[key.axis()] = (long) stored.weight().scales().length;
    }
    String name = model.freshName(stored.source().name() + "_row_scale");
    add(new StoredTensor(name, scaleType(stored), List.of(shape), stored.weight().scaleContent()));
    return name;
  }

  private static DataType scaleType(Stored stored) {
    return stored.weight().scaleType() == FloatType.FLOAT32
        ? DataType.FLOAT
        : stored.source().type();
  }

  private Node cast(String name, String input, DataType type, String output) {
    return Node.create(model.freshName(name + "_Cast"), "Cast", List.of(input), List.of(output))
        .with("to", type.number());
  }

  private void lookUp(Graph graph, Node gather, Stored stored, String scales, boolean hasRows) {
    String name = gather.name().isEmpty() ? gather.outputs().get(0) : gather.name();
    String codes = model.freshName(name + "_codes");
    String values = model.freshName(name + "_values");
    String output = gather.outputs().get(0);
    DataType scaleType = scaleType(stored);
    boolean isWide = scaleType != stored.source().type();
    String product = isWide ? model.freshName(name + "_float32") : output;
    List<Node> nodes = new ArrayList<>();
    nodes.add(cast(name, codes, scaleType, values));
    String scale = scales;
    if (hasRows) {
      scale = model.freshName(name + "_scales");
      nodes.add(
          Node.create(
              model.freshName(name + "_Gather_scales"),
              "Gather",
              List.of(scales, gather.input(1)),
              List.of(scale)));
    }
    nodes.add(
        Node.create(
            model.freshName(name + "_Mul"), "Mul", List.of(values, scale), List.of(product)));
    if (isWide) {
      nodes.add(cast(name, product, stored.source().type(), output));
    }
    gather.inputs().set(0, stored.codes());
    gather.outputs().set(0, codes);
    graph.nodes().addAll(graph.nodes().indexOf(gather) + 1, nodes);
  }

  private void add(StoredTensor tensor) {
    // Into the model's own graph even for inner graphs, which see it: only there tensors stream.
    model.graph().initializers().put(tensor.name(), Initializer.of(tensor));
  }

  private static QuantizedType codes(Dtype dtype) {
    if (dtype.equals(Dtype.INT8)) {
      return QuantizedType.INT8;
    }
    if (dtype.equals(Dtype.FP8_E4M3FN)) {
      return QuantizedType.FLOAT8_E4M3FN;
    }
    if (dtype.equals(Dtype.FP8_E5M2)) {
      return QuantizedType.FLOAT8_E5M2;
    }
    throw new IllegalArgumentException("dtype: weights cannot be %s".formatted(dtype));
  }

  private static DataType dataType(Dtype dtype) {
    return switch (codes(dtype)) {
      case INT8 -> DataType.INT8;
      case FLOAT8_E4M3FN -> DataType.FLOAT8E4M3FN;
      case FLOAT8_E5M2 -> DataType.FLOAT8E5M2;
    };
  }
}
