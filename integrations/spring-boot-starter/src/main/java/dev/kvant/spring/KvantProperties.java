package dev.kvant.spring;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The properties {@code kvant.*}.
 *
 * @param pluginDirectories folders of plugin folders, relative to the working directory
 * @param discovery whether Kvant looks for backends and formats on the class path
 * @param parallelism the maximum number of threads of a quantizer; the number of processors by
 *     default
 * @param quantize a configuration as in a spec's section {@code quantize}, with keys in any of
 *     Spring's spellings
 * @since 0.1.0
 */
@ConfigurationProperties(prefix = "kvant", ignoreUnknownFields = false)
public record KvantProperties(
    @DefaultValue List<String> pluginDirectories,
    @DefaultValue("true") boolean discovery,
    @Nullable Integer parallelism,
    @DefaultValue Map<String, Object> quantize) {

  public KvantProperties {
    pluginDirectories = List.copyOf(pluginDirectories);
    quantize = Map.copyOf(quantize);
  }
}
