package dev.kvant.spring;

import dev.kvant.micrometer.QuantizationMetrics;
import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/**
 * Counts and times what quantizers do in the application's {@link MeterRegistry}, where it has one
 * and {@code kvant-micrometer} is there.
 *
 * @since 0.1.0
 */
@AutoConfiguration(
    before = KvantAutoConfiguration.class,
    afterName =
        "org.springframework.boot.actuate.autoconfigure.metrics.CompositeMeterRegistryAutoConfiguration")
@ConditionalOnClass({QuantizationMetrics.class, MeterRegistry.class})
@ConditionalOnBean(MeterRegistry.class)
@SuppressWarnings("exports") // Who has no such module has no use for this type.
public class KvantMetricsAutoConfiguration {

  /** For Spring. */
  public KvantMetricsAutoConfiguration() {}

  @Bean
  @ConditionalOnMissingBean
  QuantizationMetrics kvantQuantizationMetrics(MeterRegistry registry) {
    return new QuantizationMetrics(registry);
  }
}
