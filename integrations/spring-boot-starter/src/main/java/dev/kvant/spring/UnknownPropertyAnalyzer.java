package dev.kvant.spring;

import dev.kvant.validation.NearestNames;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collector;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.DataObjectPropertyName;
import org.springframework.boot.context.properties.bind.UnboundConfigurationPropertiesException;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/** Names the property that was meant by an unknown one below {@code kvant}. */
@Order(Ordered.HIGHEST_PRECEDENCE)
final class UnknownPropertyAnalyzer
    extends AbstractFailureAnalyzer<UnboundConfigurationPropertiesException> {

  private static final ConfigurationPropertyName PREFIX = ConfigurationPropertyName.of("kvant");

  @Override
  protected @Nullable FailureAnalysis analyze(
      Throwable rootFailure, UnboundConfigurationPropertiesException cause) {
    List<ConfigurationProperty> unknown =
        cause.getUnboundProperties().stream()
            .filter(property -> PREFIX.isAncestorOf(property.getName()))
            .toList();
    if (unknown.isEmpty()) {
      return null;
    }
    return new FailureAnalysis(
        unknown.stream().map(UnknownPropertyAnalyzer::description).collect(joiningLines()),
        unknown.stream().map(UnknownPropertyAnalyzer::action).collect(joiningLines()),
        cause);
  }

  private static Collector<CharSequence, ?, String> joiningLines() {
    return Collectors.joining(System.lineSeparator());
  }

  private static String description(ConfigurationProperty property) {
    return "Unknown property '%s'%s"
        .formatted(
            property.getName(),
            property.getOrigin() == null ? "" : " (" + property.getOrigin() + ")");
  }

  private static String action(ConfigurationProperty property) {
    String written = property.getName().getElement(1, ConfigurationPropertyName.Form.DASHED);
    List<String> known =
        Arrays.stream(KvantProperties.class.getRecordComponents())
            .map(component -> DataObjectPropertyName.toDashedForm(component.getName()))
            .toList();
    List<String> nearest = NearestNames.of(Objects.requireNonNull(written), known, 1);
    return nearest.isEmpty()
        ? "Remove '%s'; the properties below 'kvant' are %s."
            .formatted(property.getName(), String.join(", ", known))
        : "Did you mean 'kvant.%s'?".formatted(nearest.get(0));
  }
}
