package dev.kvant.runtime.discovery;

import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.QuantizationBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The backends by their names. An id goes before an alias, so that no backend takes the name of
 * another by calling itself that too.
 */
final class NamedBackends {

  private final Map<String, List<Provided<QuantizationBackend>>> byId = new TreeMap<>();
  private final Map<String, List<Provided<QuantizationBackend>>> byAlias = new TreeMap<>();

  NamedBackends(List<Provided<QuantizationBackend>> backends) {
    for (Provided<QuantizationBackend> backend : backends) {
      BackendDescriptor descriptor = backend.instance().descriptor();
      byId.computeIfAbsent(descriptor.id(), key -> new ArrayList<>()).add(backend);
      descriptor.aliases().stream()
          .map(alias -> alias.toLowerCase(Locale.ROOT))
          .distinct()
          .filter(alias -> !alias.equals(descriptor.id()))
          .forEach(alias -> byAlias.computeIfAbsent(alias, key -> new ArrayList<>()).add(backend));
    }
  }

  /** The backends of that name, in lower case: several of them are in conflict. */
  List<Provided<QuantizationBackend>> of(String name) {
    return byId.getOrDefault(name, byAlias.getOrDefault(name, List.of()));
  }

  /** The backends that claim the same name, by that name. */
  Map<String, List<Provided<QuantizationBackend>>> conflicts() {
    Map<String, List<Provided<QuantizationBackend>>> conflicts = new TreeMap<>(byAlias);
    conflicts.putAll(byId);
    conflicts.values().removeIf(claimants -> claimants.size() < 2);
    return conflicts;
  }

  /** One sentence for each alias that means another backend, whose id it is. */
  List<String> remarks() {
    List<String> remarks = new ArrayList<>();
    byAlias.forEach(
        (alias, backends) -> {
          List<Provided<QuantizationBackend>> owners = byId.getOrDefault(alias, List.of());
          for (Provided<QuantizationBackend> owner : owners) {
            backends.forEach(
                backend ->
                    remarks.add(
                        "'%s' is an alias of %s and the id of %s; it means the latter"
                            .formatted(alias, backend, owner)));
          }
        });
    return remarks;
  }
}
