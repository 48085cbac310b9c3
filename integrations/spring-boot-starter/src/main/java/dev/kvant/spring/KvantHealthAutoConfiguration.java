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
 * Adds the line {@code kvant} to the application's health, where Spring Boot's actuator is there;
 * {@code management.health.kvant.enabled=false} leaves it out.
 *
 * @since 0.1.0
 */
@AutoConfiguration(after = KvantAutoConfiguration.class)
@ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
@ConditionalOnBean(Kvant.class)
@SuppressWarnings("exports") // Who has no such module has no use for this type.
public class KvantHealthAutoConfiguration {

  /** For Spring. */
  public KvantHealthAutoConfiguration() {}

  /** Within, since Spring loads the condition itself before it looks at any other. */
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
