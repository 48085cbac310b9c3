package dev.kvant.spark;

import dev.kvant.api.Experimental;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.runtime.config.ConfigDocument;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * A spec that Spark sends to executors: the text of a YAML document, overrides, and the values of
 * the environment variables that the document reads. Immutable.
 *
 * @since 0.1.0
 */
@Experimental
public final class SparkSpec implements Serializable {

  private static final long serialVersionUID = 1;

  private final String yaml;
  private final ArrayList<String> overrides;
  private final TreeMap<String, String> variables;

  private SparkSpec(String yaml, List<String> overrides, Map<String, String> variables) {
    this.yaml = Objects.requireNonNull(yaml, "yaml");
    this.overrides = new ArrayList<>(overrides);
    this.variables = new TreeMap<>(variables);
  }

  /** The spec that a YAML document contains. */
  public static SparkSpec of(String yaml) {
    return new SparkSpec(yaml, List.of(), Map.of());
  }

  /**
   * With values in place of those of the document.
   *
   * @param keyValues as {@code key=value}, see {@link ConfigDocument#withOverrides}
   */
  public SparkSpec withOverrides(List<String> keyValues) {
    List<String> more = new ArrayList<>(overrides);
    more.addAll(keyValues);
    return new SparkSpec(yaml, more, variables);
  }

  /**
   * The document, with the environment of this process.
   *
   * @param used gets the variables that are read, with their values
   * @throws InvalidConfigurationException if the text is not YAML, or an override is not understood
   */
  ConfigDocument document(Map<String, String> used) {
    return parsed()
        .withEnvironment(
            name -> {
              String value = System.getenv(name);
              if (value != null) {
                used.put(name, value);
              }
              return value;
            });
  }

  /** With the values of environment variables, for other machines. */
  SparkSpec withVariables(Map<String, String> values) {
    return new SparkSpec(yaml, overrides, values);
  }

  /** The document, with the environment of the driver. */
  ConfigDocument document() {
    return parsed().withEnvironment(variables::get);
  }

  private ConfigDocument parsed() {
    ConfigDocument document = ConfigDocument.parse(yaml);
    return overrides.isEmpty() ? document : document.withOverrides(overrides);
  }
}
