package dev.kvant.runtime.discovery;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All providers of one service, looked for and created when first asked for. What cannot be loaded,
 * created or described is recorded and the search goes on.
 */
final class ServiceCatalog<S> {

  /** A loader whose services cannot even be listed fails for ever; a bad jar fails once a line. */
  private static final int MOST_FAILURES_IN_A_ROW = 100;

  /** Puts a provider behind its guard. */
  @FunctionalInterface
  interface Guard<S> {
    S around(Provided<S> provided) throws Undescribed;
  }

  private final Class<S> service;
  private final Guard<S> guard;
  private final List<S> given;
  private final List<? extends ClassLoader> loaders;
  private final List<BrokenProvider> broken = new ArrayList<>();
  private @Nullable List<Provided<S>> provided;

  /**
   * @param service the service
   * @param guard what callers of a provider go through
   * @param given providers that were made elsewhere; a class that is among them is not created anew
   * @param loaders where to look, in this order
   */
  ServiceCatalog(
      Class<S> service, Guard<S> guard, List<S> given, List<? extends ClassLoader> loaders) {
    this.service = service;
    this.guard = guard;
    this.given = List.copyOf(given);
    this.loaders = List.copyOf(loaders);
  }

  /** The providers that work, those given first, then in the order of the loaders. */
  synchronized List<Provided<S>> provided() {
    List<Provided<S>> known = provided;
    if (known == null) {
      known = Collections.unmodifiableList(search());
      provided = known;
    }
    return known;
  }

  /** The providers that do not. */
  synchronized List<BrokenProvider> broken() {
    provided();
    return List.copyOf(broken);
  }

  private List<Provided<S>> search() {
    List<Provided<S>> found = new ArrayList<>();
    // By identity of the class: a child loader shows its parent's providers once more.
    Set<Class<?>> seen = new HashSet<>();
    for (S instance : given) {
      seen.add(instance.getClass());
      add(instance, found);
    }
    for (ClassLoader loader : loaders) {
      search(loader, seen, found);
    }
    return found;
  }

  private void search(ClassLoader loader, Set<Class<?>> seen, List<Provided<S>> found) {
    ServiceFiles files = ServiceFiles.of(service, loader);
    Iterator<ServiceLoader.Provider<S>> providers =
        ServiceLoader.load(service, loader).stream().iterator();
    int failures = 0;
    while (failures < MOST_FAILURES_IN_A_ROW) {
      ServiceLoader.Provider<S> provider;
      try {
        if (!providers.hasNext()) {
          return;
        }
        provider = providers.next();
      } catch (ServiceConfigurationError | LinkageError | SecurityException e) {
        // The last of them comes from signed jars with something in them that is not, or was
        // changed.
        failures++;
        ServiceFiles.Entry culprit = files.failed();
        broken.add(broken(culprit.provider(), culprit.location(), loader, e));
        continue;
      }
      failures = 0;
      files.loaded(provider.type().getName());
      if (seen.add(provider.type())) {
        create(provider, found);
      }
    }
  }

  private void create(ServiceLoader.Provider<S> provider, List<Provided<S>> found) {
    S instance;
    try {
      instance = provider.get();
    } catch (ServiceConfigurationError | LinkageError | SecurityException e) {
      Class<?> type = provider.type();
      broken.add(broken(type.getName(), Location.of(type), type.getClassLoader(), e));
      return;
    }
    add(instance, found);
  }

  private void add(S instance, List<Provided<S>> found) {
    Provided<S> unguarded = Provided.of(instance);
    try {
      found.add(unguarded.guardedBy(guard.around(unguarded)));
    } catch (Undescribed e) {
      broken.add(
          new BrokenProvider(
              service.getSimpleName(),
              unguarded.type().getName(),
              unguarded.location(),
              e.reason(),
              e.thrown()));
    }
  }

  private BrokenProvider broken(
      String provider, String location, ClassLoader loader, Throwable cause) {
    return new BrokenProvider(
        service.getSimpleName(), provider, location, FailureReason.of(cause, loader), cause);
  }
}
