package dev.kvant.backend.onnx.preprocess;

import dev.kvant.onnx.graph.Graph;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A value of a model, in whichever copy of it.
 *
 * @param place where the graph is that it belongs to, see {@link Graph#place}
 * @param name its name there
 * @since 0.1.0
 */
public record Value(String place, String name) {

  public Value {
    Objects.requireNonNull(place, "place");
    Objects.requireNonNull(name, "name");
  }

  /** What a graph reads under a name, or null if nothing gives it. */
  public static @Nullable Value read(Graph graph, String name) {
    Graph home = name.isEmpty() ? null : graph.home(name);
    return home == null ? null : new Value(home.place(), name);
  }
}
