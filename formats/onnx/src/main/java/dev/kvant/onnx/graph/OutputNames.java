package dev.kvant.onnx.graph;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The names of a node's outputs, whose changes the graph that the node is in is told of. */
final class OutputNames extends AbstractList<String> {

  private final Node node;
  private final List<String> names;
  private @Nullable NodeList listener;

  OutputNames(Node node, Collection<String> names) {
    this.node = node;
    this.names = new ArrayList<>(names);
  }

  /** Has a list of nodes told from now on, or none. */
  void tell(@Nullable NodeList newListener) {
    this.listener = newListener;
  }

  @Override
  public String get(int index) {
    return names.get(index);
  }

  @Override
  public int size() {
    return names.size();
  }

  @Override
  public String set(int index, String name) {
    String old = names.set(index, name);
    if (listener != null) {
      listener.noLongerComputes(node, old);
      listener.computes(node, name);
    }
    return old;
  }

  @Override
  public void add(int index, String name) {
    names.add(index, name);
    modCount++;
    if (listener != null) {
      listener.computes(node, name);
    }
  }

  @Override
  public String remove(int index) {
    String old = names.remove(index);
    modCount++;
    if (listener != null) {
      listener.noLongerComputes(node, old);
    }
    return old;
  }
}
