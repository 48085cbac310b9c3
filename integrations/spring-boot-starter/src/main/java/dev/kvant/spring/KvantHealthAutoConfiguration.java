package dev.kvant.spring;

import dev.kvant.runtime.Kvant;
import org.springframework.boot.actuate.autoconfigure.health.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.actuate.health.HealthIndicator;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Adds the component {@code kvant} to the application's health, if Spring Boot's actuator is
 * present; {@code management.health.kvant.enabled=false} removes it.
 *
 * @since 0.1.0
 */
@AutoConfiguration(after = KvantAutoConfiguration.class)
@ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
@ConditionalOnBean(Kvant.class)
@SuppressWarnings("exports") // An application without that module does not use this type.
public class KvantHealthAutoConfiguration {

  /** For Spring. */
  public KvantHealthAutoConfiguration() {}

  /** Nested, because Spring loads the condition itself before it checks any other. */
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnEnabledHealthIndicator("kvant")
  static class Enabled {

    @Bean
    @ConditionalOnMissingBean(name = "kvantHealthIndicator")
    KvantHealthIndicator kvantHealthIndicator(Kvant kvant) {
      return new KvantHealthIndicator(kvant);
    }
  }
}
