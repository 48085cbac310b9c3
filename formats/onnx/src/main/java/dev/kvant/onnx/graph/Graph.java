package dev.kvant.onnx.graph;

import dev.kvant.onnx.proto.AttributeProto;
import dev.kvant.onnx.proto.GraphProto;
import dev.kvant.onnx.proto.NodeProto;
import dev.kvant.onnx.proto.TensorProto;
import dev.kvant.onnx.proto.TypeProto;
import dev.kvant.onnx.proto.ValueInfoProto;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The nodes and constants of a model or of a control-flow operator's body, which can be changed.
 *
 * @since 0.1.0
 */
public final class Graph {

  /** The names of so many inputs. */
  private record InputNames(int of, Set<String> names) {}

  private GraphProto rest;
  private final @Nullable Graph parent;
  private final @Nullable Node owner;
  private final String place;
  private final NodeList nodes = new NodeList();
  private final Map<String, Initializer> initializers = new LinkedHashMap<>();
  private final Map<String, Initializer> constantNodes = new LinkedHashMap<>();
  private final List<ValueInfoProto> inputs;
  private final List<ValueInfoProto> outputs;
  private volatile InputNames countedInputs = new InputNames(0, Set.of());

  private Graph(GraphProto proto, @Nullable Graph parent, @Nullable Node owner, String place) {
    this.rest = proto.toBuilder().clearNode().clearInitializer().clearInput().clearOutput().build();
    this.parent = parent;
    this.owner = owner;
    this.place = place;
    this.inputs = new ArrayList<>(proto.getInputList());
    this.outputs = new ArrayList<>(proto.getOutputList());
  }

  /** The graph of a model. */
  static Graph of(GraphProto proto, List<Long> rawData, ExternalData files) {
    Graph graph = new Graph(proto, null, null, "");
    graph.fill(proto, rawData, files);
    return graph;
  }

  /** A graph that a node holds. */
  static Graph of(
      GraphProto proto, Graph parent, Node owner, AttributeProto attribute, ExternalData files) {
    String ownerName = owner.name().isEmpty() ? owner.outputs().get(0) : owner.name();
    Graph graph =
        new Graph(proto, parent, owner, parent.place + ownerName + "/" + attribute.getName() + "/");
    graph.fill(proto, List.of(), files);
    return graph;
  }

  private void fill(GraphProto proto, List<Long> rawData, ExternalData files) {
    for (int i = 0; i < proto.getInitializerCount(); i++) {
      TensorProto tensor = proto.getInitializer(i);
      long offset = i < rawData.size() ? rawData.get(i) : RawData.NONE;
      initializers.put(tensor.getName(), Initializer.of(tensor, offset, files));
    }
    for (NodeProto node : proto.getNodeList()) {
      Node added = Node.of(node, this, files);
      nodes.add(added);
      if (added.is("Constant") && !added.outputs().isEmpty()) {
        String name = added.outputs().get(0);
        constant(added, name, files).ifPresent(constant -> constantNodes.put(name, constant));
      }
    }
  }

  /** What a {@code Constant} node gives; empty for text and for sparse tensors. */
  private static Optional<Initializer> constant(Node node, String name, ExternalData files) {
    AttributeProto value = node.attribute("value");
    if (value != null && value.hasT()) {
      return Optional.of(
          Initializer.of(value.getT().toBuilder().setName(name).build(), RawData.NONE, files));
    }
    if (node.hasAttribute("value_float")) {
      return floats(name, List.of(), List.of(node.floatAttribute("value_float", 0)));
    }
    if (node.hasAttribute("value_floats")) {
      List<Float> values = node.floatsAttribute("value_floats");
      return floats(name, List.of((long) values.size()), values);
    }
    if (node.hasAttribute("value_int")) {
      return integers(name, List.of(), List.of(node.intAttribute("value_int", 0)));
    }
    if (node.hasAttribute("value_ints")) {
      List<Long> values = node.intsAttribute("value_ints");
      return integers(name, List.of((long) values.size()), values);
    }
    return Optional.empty();
  }

  private static Optional<Initializer> floats(String name, List<Long> dims, List<Float> values) {
    float[] array = new float[values.size()];
    for (int i = 0; i < array.length; i++) {
      array[i] = values.get(i);
    }
    return Optional.of(Initializer.of(StoredTensor.ofFloats(name, dims, array)));
  }

  private static Optional<Initializer> integers(String name, List<Long> dims, List<Long> values) {
    long[] array = values.stream().mapToLong(Long::longValue).toArray();
    return Optional.of(Initializer.of(StoredTensor.ofLongs(name, dims, array)));
  }

  /** The graph around the node that holds this one, or null for a model's own. */
  public @Nullable Graph parent() {
    return parent;
  }

  /** The node that holds this graph, or null for a model's own. */
  public @Nullable Node owner() {
    return owner;
  }

  /** The model's own graph. */
  public Graph root() {
    Graph graph = this;
    while (graph.parent != null) {
      graph = graph.parent;
    }
    return graph;
  }

  /**
   * Where this graph is: the names of nodes and attributes that lead to it, each followed by a
   * slash; empty for the model's own.
   */
  public String place() {
    return place;
  }

  /** The nodes, to be changed, each before those that use its outputs. */
  public List<Node> nodes() {
    return nodes;
  }

  /** The initializers by name, to be changed. */
  public Map<String, Initializer> initializers() {
    return initializers;
  }

  /** What goes in; initializers that a caller may replace are among them in old files. */
  public List<ValueInfoProto> inputs() {
    return inputs;
  }

  /** What comes out. */
  public List<ValueInfoProto> outputs() {
    return outputs;
  }

  /** The types and shapes of inner values, as far as the file tells them. */
  public List<ValueInfoProto> valueInfos() {
    return rest.getValueInfoList();
  }

  /**
   * The constant of that name, an initializer or what a {@code Constant} node gives, here or in a
   * graph around this one.
   */
  public Optional<Initializer> constant(String name) {
    for (Graph graph = this; graph != null; graph = graph.parent) {
      Initializer found = graph.initializers.get(name);
      if (found == null) {
        found = graph.constantNodes.get(name);
      }
      if (found != null) {
        return Optional.of(found);
      }
    }
    return Optional.empty();
  }

  /** The constants of this graph alone. */
  public List<Initializer> ownConstants() {
    List<Initializer> all = new ArrayList<>(initializers.values());
    all.addAll(constantNodes.values());
    return all;
  }

  /** Whether a name is that of a constant of this graph itself. */
  boolean hasOwnConstant(String name) {
    return initializers.containsKey(name) || constantNodes.containsKey(name);
  }

  /** Removes a node, and the constant that it gave. */
  public void removeNode(Node node) {
    nodes.remove(node);
    node.outputs().forEach(constantNodes::remove);
  }

  /** Removes nodes, and the constants that they gave. */
  public void removeNodes(Set<Node> removed) {
    nodes.removeIf(removed::contains);
    removed.forEach(node -> node.outputs().forEach(constantNodes::remove));
  }

  /** The node of this graph that computes a value, or null. */
  public @Nullable Node producer(String value) {
    return nodes.producer(value);
  }

  /** The graph in which a value is computed or comes in: this one or one around it; or null. */
  public @Nullable Graph home(String value) {
    for (Graph graph = this; graph != null; graph = graph.parent) {
      if (graph.initializers.containsKey(value)
          || graph.producer(value) != null
          || graph.isInput(value)) {
        return graph;
      }
    }
    return null;
  }

  private boolean isInput(String value) {
    // Inputs are only ever removed from the list.
    if (countedInputs.of() != inputs.size()) {
      countedInputs =
          new InputNames(
              inputs.size(),
              inputs.stream().map(ValueInfoProto::getName).collect(Collectors.toUnmodifiableSet()));
    }
    return countedInputs.names().contains(value);
  }

  /** Adds nodes right after the one that computes a value, or at the start if none does. */
  public void insertAfter(String value, List<Node> added) {
    Node producer = producer(value);
    nodes.addAll(producer == null ? 0 : nodes.indexOf(producer) + 1, added);
  }

  /** Makes a value come out of the graph, as a tensor of that type. */
  public void addOutput(String value, DataType type) {
    outputs.add(describe(value, type));
  }

  /** Makes a value come out of the graph at that position, as a tensor of that type. */
  public void addOutput(int index, String value, DataType type) {
    outputs.add(index, describe(value, type));
  }

  /** Makes a value come into the graph, as a tensor of that type. */
  public void addInput(String value, DataType type) {
    inputs.add(describe(value, type));
  }

  private static ValueInfoProto describe(String value, DataType type) {
    return ValueInfoProto.newBuilder()
        .setName(value)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(TypeProto.Tensor.newBuilder().setElemType(type.number())))
        .build();
  }

  /** This graph and all that its nodes hold, outer ones first. */
  public List<Graph> all() {
    List<Graph> graphs = new ArrayList<>();
    collect(graphs);
    return graphs;
  }

  private void collect(List<Graph> graphs) {
    graphs.add(this);
    for (Node node : nodes) {
      node.subgraphs().values().forEach(subgraph -> subgraph.collect(graphs));
    }
  }

  /** Removes what the exporter noted about its nodes and values for debugging. */
  void removeNotes() {
    nodes.forEach(Node::removeNotes);
    inputs.replaceAll(Graph::withoutNotes);
    outputs.replaceAll(Graph::withoutNotes);
    List<ValueInfoProto> values =
        rest.getValueInfoList().stream().map(Graph::withoutNotes).toList();
    rest =
        rest.toBuilder()
            .clearValueInfo()
            .addAllValueInfo(values)
            .clearMetadataProps()
            .addAllMetadataProps(ExporterNotes.without(rest.getMetadataPropsList()))
            .build();
  }

  private static ValueInfoProto withoutNotes(ValueInfoProto value) {
    return value.getMetadataPropsCount() == 0
        ? value
        : value.toBuilder()
            .clearMetadataProps()
            .addAllMetadataProps(ExporterNotes.without(value.getMetadataPropsList()))
            .build();
  }

  /** The message without initializers. */
  GraphProto toProtoWithoutInitializers() {
    GraphProto.Builder proto = rest.toBuilder().addAllInput(inputs).addAllOutput(outputs);
    nodes.forEach(node -> proto.addNode(node.toProto()));
    return proto.build();
  }

  /** The message with the bytes of all initializers. */
  GraphProto toProto() {
    GraphProto.Builder proto = toProtoWithoutInitializers().toBuilder();
    initializers.values().forEach(initializer -> proto.addInitializer(initializer.toProto()));
    return proto.build();
  }
}
