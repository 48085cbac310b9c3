package dev.kvant.spring;

import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.discovery.BrokenProvider;
import dev.kvant.runtime.discovery.Installation;
import dev.kvant.runtime.discovery.InstalledBackend;
import dev.kvant.spi.Availability;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.springframework.boot.actuate.health.AbstractHealthIndicator;
import org.springframework.boot.actuate.health.Health;

/**
 * Up if at least one backend works. The details show the state of each backend and all other
 * problems of the installation.
 *
 * @since 0.1.0
 */
@SuppressWarnings("exports") // An application without that module does not use this type.
public final class KvantHealthIndicator extends AbstractHealthIndicator {

  private final Kvant kvant;

  /** The health of that instance. */
  public KvantHealthIndicator(Kvant kvant) {
    super("Kvant could not look for backends");
    this.kvant = Objects.requireNonNull(kvant, "kvant");
  }

  @Override
  protected void doHealthCheck(Health.Builder builder) {
    Installation installation = kvant.backends();
    Map<String, String> backends = new LinkedHashMap<>();
    boolean works = false;
    for (InstalledBackend backend : installation.backends()) {
      if (backend.availability() instanceof Availability.Unavailable unavailable) {
        backends.put(backend.descriptor().id(), "unavailable: " + unavailable.reason());
      } else {
        backends.put(backend.descriptor().id(), "available");
        works = true;
      }
    }
    builder.status(works ? "UP" : "DOWN").withDetail("backends", backends);
    if (!installation.broken().isEmpty()) {
      builder.withDetail(
          "broken", installation.broken().stream().map(BrokenProvider::toString).toList());
    }
    if (!installation.conflicts().isEmpty()) {
      builder.withDetail("conflicts", installation.conflicts());
    }
  }
}
