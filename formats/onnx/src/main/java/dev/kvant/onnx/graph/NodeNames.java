package dev.kvant.onnx.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The names that a node answers to: its own, and those of the PyTorch module that it came from.
 *
 * <p>PyTorch's exporters leave the module's path in one of three places: the node's name ({@code
 * /encoder/layer.0/query/MatMul}), the entry {@code pkg.torch.onnx.name_scopes} of its metadata,
 * and the name of its weight ({@code encoder.layer.0.query.weight}).
 */
final class NodeNames {

  static final String NAME_SCOPES = "pkg.torch.onnx.name_scopes";
  private static final Pattern QUOTED = Pattern.compile("'([^']*)'|\"([^\"]*)\"");
  private static final String WEIGHT_SUFFIX = ".weight";

  private final Set<String> taken = new HashSet<>();
  private final Map<String, Integer> bearers = new HashMap<>();

  /**
   * All names of a node.
   *
   * @param own the first of them, see {@link #own}
   * @param weight the name of its weight, or the empty string
   */
  static List<String> all(String own, Node node, String weight) {
    Set<String> names = new LinkedHashSet<>();
    names.add(own);
    names.addAll(scopesOfName(node.name()));
    node.metadata(NAME_SCOPES).ifPresent(scopes -> names.addAll(scopesOfMetadata(scopes)));
    if (weight.endsWith(WEIGHT_SUFFIX) && !weight.contains(":")) {
      names.add(weight.substring(0, weight.length() - WEIGHT_SUFFIX.length()));
    }
    names.remove("");
    return List.copyOf(names);
  }

  /** The name of a node, or what stands for it, that no other node was given. */
  String own(Graph graph, Node node) {
    String name = node.name();
    if (name.isEmpty()) {
      name = node.outputs().isEmpty() ? node.opType() : node.outputs().get(0);
    }
    if (taken.add(name)) {
      return name;
    }
    // Bodies of one loop or both branches of one condition may use the same names.
    String placed = graph.place() + name;
    String unique = placed;
    while (!taken.add(unique)) {
      unique = placed + "#" + bearers.merge(placed, 2, (last, first) -> last + 1);
    }
    return unique;
  }

  /** The path in {@code /layers/layers.0/conv1/Conv}: {@code layers.0.conv1}. */
  private static List<String> scopesOfName(String name) {
    if (!name.startsWith("/")) {
      return List.of();
    }
    String[] segments = name.substring(1).split("/", -1);
    List<String> path = new ArrayList<>();
    for (int i = 0; i < segments.length - 1; i++) {
      // A child of a list is written with the list's name in front, after the list itself.
      if (!path.isEmpty() && segments[i].startsWith(path.get(path.size() - 1) + ".")) {
        path.remove(path.size() - 1);
      }
      path.add(segments[i]);
    }
    return List.of(String.join(".", path));
  }

  /** The last module's path in {@code ['', 'encoder', 'encoder.linear1', 'linear_3']}. */
  private static List<String> scopesOfMetadata(String scopes) {
    List<String> all = quoted(scopes);
    return all.size() < 2 ? List.of() : List.of(all.get(all.size() - 2));
  }

  /** The strings in a list that Python printed. */
  static List<String> quoted(String list) {
    List<String> found = new ArrayList<>();
    Matcher matcher = QUOTED.matcher(list);
    while (matcher.find()) {
      found.add(matcher.group(1) == null ? matcher.group(2) : matcher.group(1));
    }
    return found;
  }
}
