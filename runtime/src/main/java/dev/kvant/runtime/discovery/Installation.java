package dev.kvant.runtime.discovery;

import java.util.List;

/**
 * What is installed: the backends that can be used, and all that stands in the way of others.
 *
 * @param backends the backends that were found, ordered by id
 * @param providers all providers that were found, backends among them, by service, plugin and class
 * @param plugins the plugins that can be used, ordered by name
 * @param broken providers that could not be used, of whatever service
 * @param conflicts providers that claim the same name, one sentence each; the name cannot be used
 *     until that is settled
 * @param remarks other things worth knowing, such as a plugin that offers nothing
 * @since 0.1.0
 */
public record Installation(
    List<InstalledBackend> backends,
    List<InstalledProvider> providers,
    List<InstalledPlugin> plugins,
    List<BrokenProvider> broken,
    List<String> conflicts,
    List<String> remarks) {

  public Installation {
    backends = List.copyOf(backends);
    providers = List.copyOf(providers);
    plugins = List.copyOf(plugins);
    broken = List.copyOf(broken);
    conflicts = List.copyOf(conflicts);
    remarks = List.copyOf(remarks);
  }
}
