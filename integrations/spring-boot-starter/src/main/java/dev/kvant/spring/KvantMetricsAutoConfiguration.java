package dev.kvant.spring;

import dev.kvant.micrometer.QuantizationMetrics;
import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/**
 * Counts and times the steps of quantizers in the application's {@link MeterRegistry}, if it has
 * one and {@code kvant-micrometer} is present.
 *
 * @since 0.1.0
 */
@AutoConfiguration(
    before = KvantAutoConfiguration.class,
    afterName =
        "org.springframework.boot.actuate.autoconfigure.metrics.CompositeMeterRegistryAutoConfiguration")
@ConditionalOnClass({QuantizationMetrics.class, MeterRegistry.class})
@ConditionalOnBean(MeterRegistry.class)
@SuppressWarnings("exports") // An application without that module does not use this type.
public class KvantMetricsAutoConfiguration {

  /** For Spring. */
  public KvantMetricsAutoConfiguration() {}

  @Bean
  @ConditionalOnMissingBean
  QuantizationMetrics kvantQuantizationMetrics(MeterRegistry registry) {
    return new QuantizationMetrics(registry);
  }
}
