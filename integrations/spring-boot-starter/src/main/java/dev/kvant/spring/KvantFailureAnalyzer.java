package dev.kvant.spring;

import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.KvantException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Reports an error of Kvant that ends the start of an application, all of its problems at once. */
final class KvantFailureAnalyzer extends AbstractFailureAnalyzer<KvantException> {

  @Override
  protected FailureAnalysis analyze(Throwable rootFailure, KvantException cause) {
    return new FailureAnalysis(description(cause), action(cause), cause);
  }

  private static String description(KvantException cause) {
    if (cause instanceof InvalidConfigurationException invalid) {
      return invalid.lines().stream()
          .collect(
              Collectors.joining(
                  System.lineSeparator() + "  - ",
                  "The configuration of Kvant is not valid:" + System.lineSeparator() + "  - ",
                  ""));
    }
    return cause.getMessage();
  }

  private static @Nullable String action(KvantException cause) {
    return cause instanceof InvalidConfigurationException
        ? "Correct these keys below 'kvant.quantize', or in the document that they come from."
        : null;
  }
}
