package dev.kvant.onnx.graph;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The nodes of a graph in order, which knows at any time which of them computes a value. */
final class NodeList extends AbstractList<Node> {

  private final List<Node> nodes = new ArrayList<>();
  private final Map<String, Node> producers = new HashMap<>();

  /** The node that computes a value, or null. */
  @Nullable Node producer(String value) {
    return producers.get(value);
  }

  /** Takes note that a node computes a value from now on. */
  void computes(Node node, String value) {
    producers.put(value, node);
  }

  /** Takes note that a node computes a value no longer. */
  void noLongerComputes(Node node, String value) {
    producers.remove(value, node);
  }

  private void enter(Node node) {
    node.enter(this);
    node.outputs().forEach(output -> computes(node, output));
  }

  private void leave(Node node) {
    node.enter(null);
    node.outputs().forEach(output -> noLongerComputes(node, output));
  }

  @Override
  public Node get(int index) {
    return nodes.get(index);
  }

  @Override
  public int size() {
    return nodes.size();
  }

  @Override
  public Node set(int index, Node node) {
    Node old = nodes.set(index, node);
    leave(old);
    enter(node);
    return old;
  }

  @Override
  public void add(int index, Node node) {
    nodes.add(index, node);
    modCount++;
    enter(node);
  }

  @Override
  public boolean addAll(int index, Collection<? extends Node> added) {
    boolean changed = nodes.addAll(index, added);
    modCount++;
    added.forEach(this::enter);
    return changed;
  }

  @Override
  public boolean addAll(Collection<? extends Node> added) {
    return addAll(size(), added);
  }

  @Override
  public Node remove(int index) {
    Node old = nodes.remove(index);
    modCount++;
    leave(old);
    return old;
  }

  @Override
  public boolean removeIf(Predicate<? super Node> filter) {
    List<Node> removed = nodes.stream().filter(filter).map(Node.class::cast).toList();
    if (removed.isEmpty()) {
      return false;
    }
    nodes.removeIf(filter);
    modCount++;
    removed.forEach(this::leave);
    return true;
  }

  @Override
  protected void removeRange(int from, int to) {
    List<Node> range = nodes.subList(from, to);
    range.forEach(this::leave);
    range.clear();
    modCount++;
  }
}
