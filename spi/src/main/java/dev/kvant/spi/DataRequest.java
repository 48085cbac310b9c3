package dev.kvant.spi;

import dev.kvant.api.InputDescription;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * The data that is wanted, and for what model.
 *
 * @param path an existing file or folder
 * @param options the settings, which were checked against the descriptor
 * @param inputs the inputs of the model in order; empty if they are not known
 * @param remarks told what a person should know of the data, in sentences, such as how much of it
 *     was cut off
 * @since 0.1.0
 */
public record DataRequest(
    Path path, Options options, List<InputDescription> inputs, Consumer<String> remarks) {

  /**
   * Checks and copies the components.
   *
   * @throws NullPointerException if one is null
   */
  public DataRequest {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(options, "options");
    inputs = List.copyOf(inputs);
    Objects.requireNonNull(remarks, "remarks");
  }
}
