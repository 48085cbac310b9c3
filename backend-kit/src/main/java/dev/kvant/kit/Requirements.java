package dev.kvant.kit;

import dev.kvant.api.Requirement;
import java.lang.module.ModuleDescriptor.Version;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Collects what an artifact requires of the place where it runs. Of several lowest versions of one
 * runtime only the highest is kept, with its reason.
 *
 * @since 0.1.0
 */
public final class Requirements {

  private record Lowest(Version version, Requirement requirement) {}

  private final Map<String, Lowest> versions = new LinkedHashMap<>();
  private final Collection<Requirement> others = new ArrayList<>();

  /** Begins without requirements. */
  public Requirements() {}

  /**
   * Requires a version of a runtime, or a newer one.
   *
   * @param runtime its name
   * @param version numbers with dots between them
   * @param reason what in the artifact requires it
   * @throws IllegalArgumentException if the version does not begin with a number
   */
  public Requirements version(String runtime, String version, String reason) {
    var lowest = new Lowest(Version.parse(version), Requirement.version(runtime, version, reason));
    versions.merge(
        runtime,
        lowest,
        (known, added) -> added.version().compareTo(known.version()) > 0 ? added : known);
    return this;
  }

  /** Adds a requirement that is not a lowest version. */
  public Requirements add(Requirement requirement) {
    others.add(requirement);
    return this;
  }

  /** The requirements: versions first, each in the order in which they were added. */
  public List<Requirement> build() {
    List<Requirement> all = new ArrayList<>();
    versions.values().forEach(lowest -> all.add(lowest.requirement()));
    all.addAll(others);
    return List.copyOf(all);
  }
}
