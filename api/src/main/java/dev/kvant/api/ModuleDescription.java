package dev.kvant.api;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * One module of a model: what patterns are matched with, and what a backend decides by.
 *
 * @param names the names of the module, the qualified one first, as in {@code
 *     encoder.layers.0.linear1}; a module that occurs several times in the tree has several
 * @param types its simple class names, the most specific first, as in {@code Linear}; empty when
 *     unknown
 * @param typesInferred whether the types were inferred from names and shapes because the file does
 *     not contain them
 * @param tensors its own parameters and buffers, without those of its children, in the file's order
 * @since 0.1.0
 */
public record ModuleDescription(
    List<String> names,
    List<String> types,
    boolean typesInferred,
    List<TensorDescription> tensors) {

  public ModuleDescription {
    names = List.copyOf(names);
    if (names.isEmpty()) {
      throw new IllegalArgumentException("names: a module has at least one");
    }
    types = List.copyOf(types);
    tensors = List.copyOf(tensors);
  }

  /** The qualified name. */
  public String name() {
    return names.get(0);
  }

  /** The most specific class name, or the empty string when unknown. */
  public String type() {
    return types.isEmpty() ? "" : types.get(0);
  }

  /** The tensor of that local name. */
  public Optional<TensorDescription> tensor(String localName) {
    Objects.requireNonNull(localName, "localName");
    return tensors.stream().filter(tensor -> tensor.name().equals(localName)).findFirst();
  }

  /** The tensor named {@code weight}. */
  public Optional<TensorDescription> weight() {
    return tensor("weight");
  }

  /** Whether the module takes part in a plan: whether it owns a floating-point tensor. */
  public boolean hasWeights() {
    return tensors.stream().anyMatch(tensor -> tensor.elementType().isFloatingPoint());
  }
}
