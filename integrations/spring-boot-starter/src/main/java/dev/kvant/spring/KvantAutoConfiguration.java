package dev.kvant.spring;

import dev.kvant.api.QuantizationListener;
import dev.kvant.api.UnavailableException;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.config.ConfigDocument;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.ModelFormat;
import dev.kvant.spi.ModelRunnerProvider;
import dev.kvant.spi.ModelSource;
import dev.kvant.spi.QuantizationBackend;
import java.nio.file.Path;
import java.util.Map;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Condition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.core.io.ResourceLoader;
import org.springframework.core.type.AnnotatedTypeMetadata;

/**
 * Makes {@link Kvant} a bean that is closed with its context, unless the application defines one.
 *
 * <p>Beans of the types {@link QuantizationBackend}, {@link ModelFormat}, {@link
 * ModelRunnerProvider}, {@link DataReaderProvider}, {@link ModelSource}, {@link
 * QuantizationListener} and {@link KvantCustomizer} contribute to it. With a property below {@code
 * kvant.quantize}, that configuration is a bean as well, to be passed to {@link
 * Kvant#quantize(ConfigDocument)} or {@link Kvant#quantizer(ConfigDocument)}. It is checked when
 * the application starts.
 *
 * @since 0.1.0
 */
@AutoConfiguration
@EnableConfigurationProperties(KvantProperties.class)
public class KvantAutoConfiguration {

  /** For Spring. */
  public KvantAutoConfiguration() {}

  @Bean(destroyMethod = "close")
  @ConditionalOnMissingBean
  Kvant kvant(
      KvantProperties properties,
      ResourceLoader application,
      ObjectProvider<QuantizationBackend> backends,
      ObjectProvider<ModelFormat> formats,
      ObjectProvider<ModelRunnerProvider> runners,
      ObjectProvider<DataReaderProvider> readers,
      ObjectProvider<ModelSource> sources,
      ObjectProvider<QuantizationListener> listeners,
      ObjectProvider<KvantCustomizer> customizers) {
    Kvant.Builder builder = Kvant.builder();
    ClassLoader loader = application.getClassLoader();
    if (!properties.discovery()) {
      builder.withoutDiscovery();
    } else if (loader != null) {
      // In an executable jar the application's classes are in a loader of their own.
      builder.classLoader(loader);
    }
    if (properties.parallelism() != null) {
      builder.parallelism(properties.parallelism());
    }
    properties.pluginDirectories().forEach(name -> builder.pluginDirectory(Path.of(name)));
    backends.orderedStream().forEach(builder::backend);
    formats.orderedStream().forEach(builder::format);
    runners.orderedStream().forEach(builder::runner);
    readers.orderedStream().forEach(builder::reader);
    sources.orderedStream().forEach(builder::source);
    listeners.orderedStream().forEach(builder::listener);
    customizers.orderedStream().forEach(customizer -> customizer.customize(builder));
    return builder.build();
  }

  @Bean
  @ConditionalOnMissingBean
  @Conditional(QuantizeProperties.class)
  ConfigDocument kvantConfigDocument(KvantProperties properties) {
    return ConfigDocument.of(Map.of("quantize", PropertyTree.document(properties.quantize())));
  }

  /** Ends the start of an application whose configuration has keys or values that are wrong. */
  @Bean
  @ConditionalOnBean(ConfigDocument.class)
  SmartInitializingSingleton kvantConfigDocumentCheck(Kvant kvant, ConfigDocument document) {
    return () -> {
      try {
        kvant.quantizer(document).close();
      } catch (UnavailableException e) {
        // The configuration is right; what is missing is a matter of the health.
      }
    };
  }

  /** Holds if there is any property below {@code kvant.quantize}, a misspelt one too. */
  static final class QuantizeProperties implements Condition {

    @Override
    public boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
      return Binder.get(context.getEnvironment())
          .bind("kvant.quantize", Bindable.mapOf(String.class, Object.class))
          .map(properties -> !properties.isEmpty())
          .orElse(false);
    }
  }
}
