package dev.kvant.spi;

import java.util.List;
import java.util.Objects;

/**
 * What a data reader is, known without loading anything.
 *
 * @param id the name in configurations: lower case letters, digits, dots, dashes and underscores
 * @param description what it reads, in one sentence
 * @param options the settings that it reads from {@code calibration} and {@code evaluation}; a key
 *     with a dot belongs to a section, as {@code images.size} to {@code images}
 * @since 0.1.0
 */
public record DataReaderDescriptor(String id, String description, List<OptionDescriptor> options) {

  /**
   * Checks and copies the components.
   *
   * @throws IllegalArgumentException if the id has another form
   */
  public DataReaderDescriptor {
    if (!id.matches("[a-z0-9][a-z0-9._-]*")) {
      throw new IllegalArgumentException(
          "id: '%s' must be lower case letters, digits, dots, dashes and underscores"
              .formatted(id));
    }
    Objects.requireNonNull(description, "description");
    options = List.copyOf(options);
  }
}
