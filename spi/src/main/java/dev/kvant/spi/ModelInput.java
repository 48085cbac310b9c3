package dev.kvant.spi;

import dev.kvant.api.ElementType;
import dev.kvant.api.Experimental;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An input that a model must be given.
 *
 * @param name its name
 * @param elementType the type of its elements, or null if the model does not state it
 * @param shape its dimensions, outermost first, negative where any size will do; null if the model
 *     does not state them
 * @since 0.1.0
 */
@Experimental
public record ModelInput(
    String name, @Nullable ElementType elementType, @Nullable List<Long> shape) {

  public ModelInput {
    Objects.requireNonNull(name, "name");
    shape = shape == null ? null : List.copyOf(shape);
  }

  /** An input of which the model states nothing but the name. */
  public static ModelInput named(String name) {
    return new ModelInput(name, null, null);
  }
}
