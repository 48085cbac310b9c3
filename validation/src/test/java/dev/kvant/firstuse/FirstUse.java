package dev.kvant.firstuse;

import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.validation.CheckedConfiguration;
import dev.kvant.validation.ConfigurationValidator;

/** Checks a configuration in a process of its own; ends with exit code 0 if it finds a problem. */
public final class FirstUse {

  private FirstUse() {}

  /** Checks one configuration. */
  public static void main(String[] arguments) {
    try (ConfigurationValidator validator = new ConfigurationValidator()) {
      CheckedConfiguration checked =
          validator.check(ModelQuantizationConfig.builder().build(), null);
      if (checked.problems().isEmpty()) {
        throw new IllegalStateException("a configuration without a backend has no problem");
      }
    }
  }
}
