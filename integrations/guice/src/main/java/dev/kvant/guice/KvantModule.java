package dev.kvant.guice;

import com.google.inject.AbstractModule;
import com.google.inject.Provider;
import com.google.inject.Provides;
import com.google.inject.Singleton;
import com.google.inject.multibindings.Multibinder;
import dev.kvant.api.QuantizationListener;
import dev.kvant.runtime.Kvant;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.ModelFormat;
import dev.kvant.spi.ModelRunnerProvider;
import dev.kvant.spi.ModelSource;
import dev.kvant.spi.QuantizationBackend;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes {@link Kvant} injectable, as one instance for the whole injector.
 *
 * <p>Other modules contribute to it, each through a {@link Multibinder} of the type: {@link
 * QuantizationBackend}, {@link ModelFormat}, {@link ModelRunnerProvider}, {@link
 * DataReaderProvider}, {@link ModelSource}, {@link QuantizationListener}, and {@link Path} with
 * {@link PluginDirectory} for folders of plugins. Contributions are added to the providers on
 * Kvant's class path.
 *
 * <pre>{@code
 * Injector injector = Guice.createInjector(new KvantModule(), binder ->
 *     Multibinder.newSetBinder(binder, QuantizationBackend.class).addBinding().to(MyBackend.class));
 * try (KvantLifetime lifetime = injector.getInstance(KvantLifetime.class)) {
 *   injector.getInstance(Application.class).run();
 * }
 * }</pre>
 *
 * @since 0.1.0
 */
public final class KvantModule extends AbstractModule {

  private final @Nullable Consumer<? super Kvant.Builder> customizer;

  /** With the providers on the class path, contributions, and defaults. */
  public KvantModule() {
    this.customizer = null;
  }

  /**
   * With a customizer of the builder, for example for plugin folders or the number of threads.
   *
   * @param customizer receives the builder after all contributions, once, when {@link Kvant} is
   *     first injected
   */
  public KvantModule(Consumer<? super Kvant.Builder> customizer) {
    this.customizer = Objects.requireNonNull(customizer, "customizer");
  }

  @Override
  protected void configure() {
    Multibinder.newSetBinder(binder(), QuantizationBackend.class);
    Multibinder.newSetBinder(binder(), ModelFormat.class);
    Multibinder.newSetBinder(binder(), ModelRunnerProvider.class);
    Multibinder.newSetBinder(binder(), DataReaderProvider.class);
    Multibinder.newSetBinder(binder(), ModelSource.class);
    Multibinder.newSetBinder(binder(), QuantizationListener.class);
    Multibinder.newSetBinder(binder(), Path.class, PluginDirectory.class);
  }

  @Provides
  @Singleton
  KvantLifetime lifetime() {
    return new KvantLifetime();
  }

  /** No singleton of Guice, which would inject the instance even after it was closed. */
  @Provides
  Kvant kvant(
      KvantLifetime lifetime,
      Provider<Set<QuantizationBackend>> backends,
      Provider<Set<ModelFormat>> formats,
      Provider<Set<ModelRunnerProvider>> runners,
      Provider<Set<DataReaderProvider>> readers,
      Provider<Set<ModelSource>> sources,
      Provider<Set<QuantizationListener>> listeners,
      @PluginDirectory Provider<Set<Path>> pluginDirectories) {
    return lifetime.kvant(
        () -> {
          Kvant.Builder builder = Kvant.builder();
          backends.get().forEach(builder::backend);
          formats.get().forEach(builder::format);
          runners.get().forEach(builder::runner);
          readers.get().forEach(builder::reader);
          sources.get().forEach(builder::source);
          listeners.get().forEach(builder::listener);
          pluginDirectories.get().forEach(builder::pluginDirectory);
          if (customizer != null) {
            customizer.accept(builder);
          }
          return builder;
        });
  }

  /** Whether both customizers are equal: Guice then treats the two modules as one. */
  @Override
  public boolean equals(Object other) {
    return other instanceof KvantModule module && Objects.equals(module.customizer, customizer);
  }

  @Override
  public int hashCode() {
    return Objects.hashCode(customizer);
  }
}
