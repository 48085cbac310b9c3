package dev.kvant.onnx.graph;

import com.google.protobuf.ByteString;
import dev.kvant.onnx.proto.AttributeProto;
import dev.kvant.onnx.proto.NodeProto;
import dev.kvant.onnx.proto.StringStringEntryProto;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One operator call of a graph, which can be changed in place.
 *
 * @since 0.1.0
 */
public final class Node {

  private NodeProto rest;
  private String opType;
  private final List<String> inputs;
  private final OutputNames outputs;
  private final Map<String, AttributeProto> attributes = new LinkedHashMap<>();
  private final Map<String, Graph> subgraphs = new LinkedHashMap<>();

  private Node(NodeProto proto) {
    this.rest = proto.toBuilder().clearInput().clearOutput().clearAttribute().build();
    this.opType = proto.getOpType();
    this.inputs = new ArrayList<>(proto.getInputList());
    this.outputs = new OutputNames(this, proto.getOutputList());
  }

  static Node of(NodeProto proto, Graph graph, ExternalData files) {
    Node node = new Node(proto);
    for (AttributeProto attribute : proto.getAttributeList()) {
      if (attribute.hasG()) {
        node.subgraphs.put(
            attribute.getName(), Graph.of(attribute.getG(), graph, node, attribute, files));
        node.attributes.put(attribute.getName(), attribute.toBuilder().clearG().build());
      } else {
        node.attributes.put(attribute.getName(), attribute);
      }
    }
    return node;
  }

  /** A new node of the standard operators. */
  public static Node create(String name, String opType, List<String> inputs, List<String> outputs) {
    return create(name, "", opType, inputs, outputs);
  }

  /** A new node of an operator of some domain. */
  public static Node create(
      String name, String domain, String opType, List<String> inputs, List<String> outputs) {
    NodeProto.Builder proto =
        NodeProto.newBuilder()
            .setName(name)
            .setOpType(opType)
            .addAllInput(inputs)
            .addAllOutput(outputs);
    if (!domain.isEmpty()) {
      proto.setDomain(domain);
    }
    return new Node(proto.build());
  }

  /**
   * A copy that reads and computes other values. Graphs that the node holds are not copied.
   *
   * @param newInputs the names of the inputs, as many as the node has
   * @param newOutputs the names of the outputs, as many as the node has
   */
  public Node copy(List<String> newInputs, List<String> newOutputs) {
    Node copy =
        new Node(
            rest.toBuilder()
                .setOpType(opType)
                .addAllInput(newInputs)
                .addAllOutput(newOutputs)
                .build());
    copy.attributes.putAll(attributes);
    return copy;
  }

  /** Its name; may be empty, and need not be the only one of it. */
  public String name() {
    return rest.getName();
  }

  /** The operator. */
  public String opType() {
    return opType;
  }

  /** Makes it another operator of the same domain. */
  public void setOpType(String newType) {
    this.opType = newType;
  }

  /** The operator's domain, empty for the standard operators. */
  public String domain() {
    String domain = rest.getDomain();
    return domain.equals("ai.onnx") ? "" : domain;
  }

  /** Whether it is that standard operator. */
  public boolean is(String standardOperator) {
    return domain().isEmpty() && opType.equals(standardOperator);
  }

  /** The names of its inputs, to be changed; an empty name is an input left out. */
  public List<String> inputs() {
    return inputs;
  }

  /** The name of that input; empty if there is none. */
  public String input(int index) {
    return index < inputs.size() ? inputs.get(index) : "";
  }

  /** The names of its outputs, to be changed. */
  public List<String> outputs() {
    return outputs;
  }

  /** Has the list of nodes that it is in, if any, told of changes of its outputs. */
  void enter(@Nullable NodeList list) {
    outputs.tell(list);
  }

  /** The graphs that it holds, by attribute. */
  public Map<String, Graph> subgraphs() {
    return subgraphs;
  }

  /** What the exporter noted about it under that key. */
  public Optional<String> metadata(String key) {
    return rest.getMetadataPropsList().stream()
        .filter(entry -> entry.getKey().equals(key))
        .map(StringStringEntryProto::getValue)
        .findFirst();
  }

  /** Removes what the exporter noted about it for debugging. */
  void removeNotes() {
    rest =
        rest.toBuilder()
            .clearDocString()
            .clearMetadataProps()
            .addAllMetadataProps(ExporterNotes.without(rest.getMetadataPropsList()))
            .build();
  }

  /** The attribute of that name, or null. */
  @Nullable AttributeProto attribute(String name) {
    return attributes.get(name);
  }

  /** Whether it has an attribute of that name. */
  public boolean hasAttribute(String name) {
    return attributes.containsKey(name);
  }

  /** An integer attribute, or a default. */
  public long intAttribute(String name, long defaultValue) {
    AttributeProto attribute = attributes.get(name);
    return attribute == null ? defaultValue : attribute.getI();
  }

  /** A number attribute, or a default. */
  public float floatAttribute(String name, float defaultValue) {
    AttributeProto attribute = attributes.get(name);
    return attribute == null ? defaultValue : attribute.getF();
  }

  /** A list of integers; empty if there is no such attribute. */
  public List<Long> intsAttribute(String name) {
    AttributeProto attribute = attributes.get(name);
    return attribute == null ? List.of() : attribute.getIntsList();
  }

  /** A list of numbers; empty if there is no such attribute. */
  public List<Float> floatsAttribute(String name) {
    AttributeProto attribute = attributes.get(name);
    return attribute == null ? List.of() : attribute.getFloatsList();
  }

  /** A text attribute, or a default. */
  public String stringAttribute(String name, String defaultValue) {
    AttributeProto attribute = attributes.get(name);
    return attribute == null ? defaultValue : attribute.getS().toStringUtf8();
  }

  /** Sets an integer attribute. */
  public Node with(String name, long value) {
    attributes.put(
        name,
        AttributeProto.newBuilder()
            .setName(name)
            .setI(value)
            .setType(AttributeProto.AttributeType.INT)
            .build());
    return this;
  }

  /** Sets a text attribute. */
  public Node with(String name, String value) {
    attributes.put(
        name,
        AttributeProto.newBuilder()
            .setName(name)
            .setS(ByteString.copyFromUtf8(value))
            .setType(AttributeProto.AttributeType.STRING)
            .build());
    return this;
  }

  /** Adds a number to a list attribute that is there. */
  public void append(String name, long value) {
    AttributeProto attribute = attributes.get(name);
    if (attribute != null) {
      attributes.put(name, attribute.toBuilder().addInts(value).build());
    }
  }

  /** Removes an attribute. */
  public void removeAttribute(String name) {
    attributes.remove(name);
  }

  NodeProto toProto() {
    NodeProto.Builder proto =
        rest.toBuilder().setOpType(opType).addAllInput(inputs).addAllOutput(outputs);
    for (AttributeProto attribute : attributes.values()) {
      Graph subgraph = subgraphs.get(attribute.getName());
      proto.addAttribute(
          subgraph == null ? attribute : attribute.toBuilder().setG(subgraph.toProto()).build());
    }
    return proto.build();
  }

  /** The node in messages, by its name or else by what it computes. */
  @Override
  public String toString() {
    return name().isEmpty()
        ? "%s that computes '%s'".formatted(opType, outputs.isEmpty() ? "" : outputs.get(0))
        : "%s '%s'".formatted(opType, name());
  }
}
