package dev.kvant.runtime.discovery;

import dev.kvant.spi.Availability;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A provider that was found and can be used.
 *
 * @param service what it provides
 * @param ids the id of a backend or data reader, the ids of a format, or the formats that a runner
 *     runs; empty for a model source
 * @param provider the name of its class
 * @param location the jar or folder that it came from
 * @param plugin the name of the plugin that it belongs to, or null if it is the application's
 * @param availability whether it can work on this machine
 * @since 0.1.0
 */
public record InstalledProvider(
    Service service,
    List<String> ids,
    String provider,
    String location,
    @Nullable String plugin,
    Availability availability) {

  /**
   * What is provided.
   *
   * @since 0.1.0
   */
  public enum Service {
    /** A backend. */
    BACKEND,
    /** A format of model files. */
    FORMAT,
    /** What runs models of some formats. */
    RUNNER,
    /** What finds the file behind a model that another framework has loaded. */
    SOURCE,
    /** What reads a kind of data for calibration and evaluation. */
    DATA_READER
  }

  public InstalledProvider {
    Objects.requireNonNull(service, "service");
    ids = List.copyOf(ids);
    Objects.requireNonNull(provider, "provider");
    Objects.requireNonNull(location, "location");
    Objects.requireNonNull(availability, "availability");
  }
}
