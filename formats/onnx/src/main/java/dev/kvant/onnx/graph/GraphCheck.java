package dev.kvant.onnx.graph;

import dev.kvant.api.ModelFormatException;
import dev.kvant.onnx.proto.ValueInfoProto;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Checks that a graph can be computed, and puts its nodes into an order in which it can. */
final class GraphCheck {

  private final Path path;

  GraphCheck(Path path) {
    this.path = path;
  }

  /**
   * Checks a model's graph and all graphs inside.
   *
   * @throws ModelFormatException if a value is used that nothing gives, is given twice, or depends
   *     on itself
   */
  void check(Graph graph) {
    check(graph, new Scope(null));
  }

  /** The names of a graph, and of those around it. */
  private static final class Scope {

    private final Set<String> own = new HashSet<>();
    private final @Nullable Scope outer;

    Scope(@Nullable Scope outer) {
      this.outer = outer;
    }

    boolean contains(String name) {
      return own.contains(name) || (outer != null && outer.contains(name));
    }

    /** Adds a name unless it is there already. */
    boolean add(String name) {
      return (outer == null || !outer.contains(name)) && own.add(name);
    }
  }

  private void check(Graph graph, Scope outer) {
    Scope known = new Scope(outer);
    addGiven(graph, known);
    if (!isSorted(graph, known)) {
      known = new Scope(outer);
      addGiven(graph, known);
      checkUnsorted(graph, known);
    }
    for (Node node : graph.nodes()) {
      for (Graph subgraph : node.subgraphs().values()) {
        check(subgraph, known);
      }
    }
  }

  private static void addGiven(Graph graph, Scope known) {
    graph.inputs().stream().map(ValueInfoProto::getName).forEach(known::add);
    graph.initializers().keySet().forEach(known::add);
  }

  /**
   * Whether a graph is sound and every node comes after those whose outputs it uses, as in most
   * files. The outputs of nodes become known.
   */
  private static boolean isSorted(Graph graph, Scope known) {
    for (Node node : graph.nodes()) {
      for (String input : used(node)) {
        if (!input.isEmpty() && !known.contains(input)) {
          return false;
        }
      }
      for (String output : node.outputs()) {
        if (!output.isEmpty() && !known.add(output)) {
          return false;
        }
      }
    }
    return graph.outputs().stream().map(ValueInfoProto::getName).allMatch(known::contains);
  }

  private void checkUnsorted(Graph graph, Scope known) {
    Map<String, Node> producers = producers(graph, known);
    for (Node node : graph.nodes()) {
      for (String input : used(node)) {
        if (!input.isEmpty() && !known.contains(input) && !producers.containsKey(input)) {
          throw new ModelFormatException(
              "%s: %s uses '%s', which nothing in the graph gives".formatted(path, node, input));
        }
      }
    }
    for (ValueInfoProto output : graph.outputs()) {
      if (!known.contains(output.getName()) && !producers.containsKey(output.getName())) {
        throw new ModelFormatException(
            "%s: nothing in the graph gives the output '%s'".formatted(path, output.getName()));
      }
    }
    sort(graph, known, producers);
    producers.keySet().forEach(known::add);
  }

  private Map<String, Node> producers(Graph graph, Scope known) {
    Map<String, Node> producers = new HashMap<>();
    for (Node node : graph.nodes()) {
      for (String output : node.outputs()) {
        if (output.isEmpty()) {
          continue;
        }
        if (known.contains(output) || producers.put(output, node) != null) {
          throw new ModelFormatException(
              "%s: '%s', which %s gives, is given elsewhere too".formatted(path, output, node));
        }
      }
    }
    return producers;
  }

  /** What a node needs: its inputs and what graphs inside it take from around it. */
  private static List<String> used(Node node) {
    if (node.subgraphs().isEmpty()) {
      return node.inputs();
    }
    List<String> used = new ArrayList<>(node.inputs());
    for (Graph subgraph : node.subgraphs().values()) {
      Set<String> inner = new HashSet<>(subgraph.initializers().keySet());
      subgraph.inputs().stream().map(ValueInfoProto::getName).forEach(inner::add);
      subgraph.nodes().forEach(each -> inner.addAll(each.outputs()));
      for (Node each : subgraph.nodes()) {
        used(each).stream().filter(name -> !inner.contains(name)).forEach(used::add);
      }
      subgraph.outputs().stream()
          .map(ValueInfoProto::getName)
          .filter(name -> !inner.contains(name))
          .forEach(used::add);
    }
    return used;
  }

  /**
   * Sorts as a reader would who goes through the nodes again and again and takes each that can be
   * computed: nodes that are sorted stay as they are.
   */
  private void sort(Graph graph, Scope known, Map<String, Node> producers) {
    List<Node> nodes = List.copyOf(graph.nodes());
    Map<Node, Integer> positions = new HashMap<>();
    nodes.forEach(node -> positions.put(node, positions.size()));
    Map<Node, Set<Node>> readers = new HashMap<>();
    int[] missing = new int[nodes.size()];
    for (int i = 0; i < missing.length; i++) {
      for (String name : used(nodes.get(i))) {
        Node producer = known.contains(name) ? null : producers.get(name);
        if (producer != null
            && readers.computeIfAbsent(producer, key -> new HashSet<>()).add(nodes.get(i))) {
          missing[i]++;
        }
      }
    }
    List<Node> sorted = new ArrayList<>();
    NavigableSet<Integer> next = new TreeSet<>();
    NavigableSet<Integer> nextRound = new TreeSet<>();
    IntStream.range(0, missing.length).filter(i -> missing[i] == 0).forEach(next::add);
    while (!next.isEmpty()) {
      int position = Objects.requireNonNull(next.pollFirst());
      Node node = nodes.get(position);
      sorted.add(node);
      for (Node reader : readers.getOrDefault(node, Set.of())) {
        int readerPosition = Objects.requireNonNull(positions.get(reader));
        if (--missing[readerPosition] == 0) {
          (readerPosition > position ? next : nextRound).add(readerPosition);
        }
      }
      if (next.isEmpty()) {
        next = nextRound;
        nextRound = new TreeSet<>();
      }
    }
    if (sorted.size() < nodes.size()) {
      Node stuck =
          nodes.get(
              IntStream.range(0, missing.length)
                  .filter(i -> missing[i] > 0)
                  .findFirst()
                  .orElseThrow());
      throw new ModelFormatException(
          "%s: the graph is cyclic: %s depends on its own output".formatted(path, stuck));
    }
    if (!sorted.equals(nodes)) {
      graph.nodes().clear();
      graph.nodes().addAll(sorted);
    }
  }
}
