package dev.kvant.backend.onnx.placement;

import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;

/**
 * What all who read a tensor make of its values, element by element: functions such as SiLU, which
 * may be written as several nodes. Where they are flat, quantization needs no steps.
 *
 * @param functions the functions; empty if the values are read for themselves
 * @since 0.1.0
 */
public record Response(List<Expression> functions) {

  /** The values are read for themselves. */
  public static final Response NONE = new Response(List.of());

  /** More nodes than any activation function is written as. */
  private static final int MOST_NODES = 16;

  public Response {
    functions = List.copyOf(functions);
  }

  /** Finds the functions behind the tensors of one graph. */
  public static final class Finder {

    private final Graph graph;
    private final Map<String, List<Node>> readers = new HashMap<>();
    private final Set<String> results = new HashSet<>();

    public Finder(Graph graph) {
      this.graph = graph;
      for (Node node : graph.nodes()) {
        for (String input : new HashSet<>(node.inputs())) {
          readers.computeIfAbsent(input, key -> new ArrayList<>()).add(node);
        }
        for (Graph inner : node.subgraphs().values()) {
          inner.all().forEach(each -> each.nodes().forEach(one -> results.addAll(one.inputs())));
        }
      }
      graph.outputs().forEach(output -> results.add(output.getName()));
    }

    /** What all who read a tensor make of it. */
    public Response behind(String tensor) {
      Map<String, Expression> known = new LinkedHashMap<>();
      known.put(tensor, Expression.INPUT);
      Set<Node> inside = new HashSet<>();
      List<String> open = new ArrayList<>(List.of(tensor));
      while (!open.isEmpty()) {
        String next = open.remove(0);
        for (Node reader : readers.getOrDefault(next, List.of())) {
          Optional<Expression> made =
              inside.contains(reader) ? Optional.empty() : of(reader, known);
          if (made.isPresent() && inside.size() < MOST_NODES) {
            inside.add(reader);
            known.put(reader.outputs().get(0), made.get());
            open.add(reader.outputs().get(0));
          }
        }
      }
      List<Expression> read = new ArrayList<>();
      for (Map.Entry<String, Expression> value : known.entrySet()) {
        boolean isRead =
            results.contains(value.getKey())
                || !inside.containsAll(readers.getOrDefault(value.getKey(), List.of()));
        if (isRead && value.getKey().equals(tensor)) {
          return NONE;
        }
        if (isRead) {
          read.add(value.getValue());
        }
      }
      return new Response(read);
    }

    private Optional<Expression> of(Node node, Map<String, Expression> known) {
      if (!node.domain().isEmpty() || node.outputs().size() != 1) {
        return Optional.empty();
      }
      List<Expression> operands = new ArrayList<>();
      for (String input : node.inputs()) {
        Expression operand = input.isEmpty() ? Expression.Constant.MISSING : known.get(input);
        if (operand == null) {
          Optional<Float> constant = scalar(input);
          if (constant.isEmpty()) {
            return Optional.empty();
          }
          operand = new Expression.Constant(constant.get());
        }
        operands.add(operand);
      }
      return Expression.of(node, operands);
    }

    private Optional<Float> scalar(String name) {
      return graph
          .constant(name)
          .flatMap(Initializer::tensor)
          .filter(tensor -> tensor.type() == DataType.FLOAT && tensor.elements() == 1)
          .map(tensor -> tensor.content().read(0, Float.BYTES).asFloatBuffer().get(0));
    }
  }

  /** The functions, to be computed. */
  public List<DoubleUnaryOperator> operators() {
    return functions.stream().<DoubleUnaryOperator>map(each -> each::at).toList();
  }
}
