package dev.kvant.onnx.graph;

import dev.kvant.onnx.proto.FunctionProto;
import dev.kvant.onnx.proto.GraphProto;
import dev.kvant.onnx.proto.ModelProto;
import dev.kvant.onnx.proto.OperatorSetIdProto;
import dev.kvant.onnx.proto.StringStringEntryProto;
import dev.kvant.onnx.proto.ValueInfoProto;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A model in memory that can be changed; its tensors are where they were.
 *
 * @since 0.1.0
 */
public final class OnnxModel {

  /** The version of the format since which callers may replace initializers that are inputs. */
  private static final long REPLACEABLE_INITIALIZERS = 4;

  private final Path source;
  private final ModelProto rest;
  private final Graph graph;
  private final Map<String, Long> opsets = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();
  private @Nullable Set<String> names;
  private final Map<String, Integer> suffixes = new HashMap<>();
  private long irVersion;

  private OnnxModel(Path source, ModelProto rest, Graph graph) {
    this.source = source;
    this.rest = rest;
    this.graph = graph;
    this.irVersion = rest.getIrVersion();
  }

  /**
   * A model as a file has it.
   *
   * @param rawData where the file has the bytes of the graph's initializers
   */
  static OnnxModel of(Path path, ModelProto proto, List<Long> rawData, ExternalData files) {
    Graph graph = Graph.of(proto.getGraph(), rawData, files);
    new GraphCheck(path).check(graph);
    ModelProto rest =
        proto.toBuilder().clearGraph().clearOpsetImport().clearMetadataProps().build();
    OnnxModel model = new OnnxModel(path, rest, graph);
    for (OperatorSetIdProto opset : proto.getOpsetImportList()) {
      model.opsets.put(canonical(opset.getDomain()), opset.getVersion());
    }
    for (StringStringEntryProto entry : proto.getMetadataPropsList()) {
      model.metadata.put(entry.getKey(), entry.getValue());
    }
    return model;
  }

  private static String canonical(String domain) {
    return domain.equals("ai.onnx") ? "" : domain;
  }

  private static Set<String> names(Graph graph) {
    Set<String> names = new HashSet<>();
    for (Graph each : graph.all()) {
      each.inputs().stream().map(ValueInfoProto::getName).forEach(names::add);
      names.addAll(each.initializers().keySet());
      for (Node node : each.nodes()) {
        names.add(node.name());
        names.addAll(node.inputs());
        names.addAll(node.outputs());
      }
    }
    return names;
  }

  /** The file that it was read from. */
  public Path source() {
    return source;
  }

  /** The model's own graph. */
  public Graph graph() {
    return graph;
  }

  /** The version of a domain's operators; empty if the model uses none of them. */
  public OptionalLong opset(String domain) {
    Long version = opsets.get(domain);
    return version == null ? OptionalLong.empty() : OptionalLong.of(version);
  }

  /** Sets the version of a domain's operators. */
  public void setOpset(String domain, long version) {
    opsets.put(domain, version);
  }

  /** The version of the format itself. */
  public long irVersion() {
    return irVersion;
  }

  /**
   * Raises the version of the format if it is lower. Before version 4 every initializer had to be
   * an input too and was a constant nevertheless; in later versions it would be the default of an
   * input, so such inputs are removed.
   */
  public void requireIrVersion(long version) {
    if (irVersion < REPLACEABLE_INITIALIZERS && version >= REPLACEABLE_INITIALIZERS) {
      graph.inputs().removeIf(input -> graph.initializers().containsKey(input.getName()));
    }
    irVersion = Math.max(irVersion, version);
  }

  /** The tool that wrote the file, or the empty string. */
  public String producer() {
    return rest.getProducerName();
  }

  /** What the file says about itself, to be changed. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /**
   * Removes what exporters of PyTorch noted about nodes and values for debugging, such as stack
   * traces. What modules are named by stays.
   */
  public void removeExporterNotes() {
    graph.all().forEach(Graph::removeNotes);
  }

  /** The names of the model's own functions. */
  public List<String> functionNames() {
    return rest.getFunctionsList().stream().map(FunctionProto::getName).toList();
  }

  /**
   * A model of the same operator sets without inputs, which computes values from constants alone.
   *
   * @param nodes the nodes that do, each before those that use its outputs
   * @param constants what they read
   * @param results the values that come out
   */
  public OnnxModel part(
      List<Node> nodes, Collection<StoredTensor> constants, Collection<String> results) {
    GraphProto.Builder proto = GraphProto.newBuilder().setName("constants");
    nodes.forEach(node -> proto.addNode(node.toProto()));
    results.forEach(result -> proto.addOutput(ValueInfoProto.newBuilder().setName(result).build()));
    Graph part = Graph.of(proto.build(), List.of(), new ExternalData(source));
    constants.forEach(
        constant -> part.initializers().put(constant.name(), Initializer.of(constant)));
    OnnxModel model = new OnnxModel(source, rest.toBuilder().clearFunctions().build(), part);
    model.opsets.putAll(opsets);
    return model;
  }

  /**
   * The wished name, or one like it, that nothing in the model has yet; from now on it is taken.
   */
  public String freshName(String wished) {
    Set<String> taken = names;
    if (taken == null) {
      // Not before they are needed: most models are only looked at.
      taken = names(graph);
      names = taken;
    }
    String name = wished;
    while (!taken.add(name)) {
      name = wished + "_" + suffixes.merge(wished, 1, Integer::sum);
    }
    return name;
  }

  /** The message without the graph. */
  ModelProto toProtoWithoutGraph() {
    ModelProto.Builder proto = rest.toBuilder().setIrVersion(irVersion);
    opsets.forEach(
        (domain, version) ->
            proto.addOpsetImport(
                OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(version)));
    metadata.forEach(
        (key, value) ->
            proto.addMetadataProps(
                StringStringEntryProto.newBuilder().setKey(key).setValue(value)));
    return proto.build();
  }
}
