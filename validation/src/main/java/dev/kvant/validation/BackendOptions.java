package dev.kvant.validation;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.OptionDescriptor;
import java.math.BigInteger;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Checks {@code backend_kwargs} against the options that a backend describes. */
final class BackendOptions {

  private BackendOptions() {}

  static void check(
      Map<String, Object> kwargs, BackendDescriptor backend, List<ConfigurationProblem> problems) {
    kwargs.forEach(
        (key, value) -> {
          String path = "quantize.backend_kwargs." + key;
          Optional<OptionDescriptor> option =
              backend.options().stream().filter(known -> known.key().equals(key)).findFirst();
          if (option.isEmpty()) {
            problems.add(new ConfigurationProblem(path, unknown(key, backend)));
          } else if (!hasType(value, option.get())) {
            problems.add(
                new ConfigurationProblem(
                    path, "must be %s, but is '%s'".formatted(typeName(option.get()), value)));
          } else if (!isInRange(value, option.get())) {
            problems.add(
                new ConfigurationProblem(
                    path, "must be %s, but is '%s'".formatted(range(option.get()), value)));
          } else if (!option.get().allowed().isEmpty()
              && !option.get().allowed().contains(String.valueOf(value))) {
            problems.add(
                new ConfigurationProblem(
                    path,
                    "'%s' is not possible; use one of %s"
                        .formatted(value, String.join(", ", option.get().allowed()))));
          } else if (key.equals(OptionDescriptor.CALIBRATION_CACHE) && !isFileName(value)) {
            problems.add(
                new ConfigurationProblem(
                    path,
                    "'%s' names no file; leave the key out to keep nothing".formatted(value)));
          }
        });
  }

  private static boolean isFileName(Object value) {
    try {
      return value instanceof String text && !text.isBlank() && Path.of(text).getFileName() != null;
    } catch (InvalidPathException e) {
      return false;
    }
  }

  private static String unknown(String key, BackendDescriptor backend) {
    List<String> known = backend.options().stream().map(OptionDescriptor::key).toList();
    if (known.isEmpty()) {
      return "is unknown; backend '%s' has no options".formatted(backend.id());
    }
    List<String> nearest = NearestNames.of(key, known, 1);
    return nearest.isEmpty()
        ? "is unknown; backend '%s' has %s".formatted(backend.id(), String.join(", ", known))
        : "is unknown; did you mean '%s'?".formatted(nearest.get(0));
  }

  private static boolean hasType(Object value, OptionDescriptor option) {
    return switch (option.type()) {
      case BOOLEAN -> value instanceof Boolean;
      case INTEGER ->
          value instanceof Integer || value instanceof Long || value instanceof BigInteger;
      case NUMBER -> value instanceof Number;
      // YAML reads a version as a number.
      case STRING ->
          value instanceof String
              || (value instanceof Number && option.allowed().contains(value.toString()));
      case LIST_OF_STRINGS ->
          value instanceof List<?> list && list.stream().allMatch(String.class::isInstance);
    };
  }

  /** Backends read an integer as Java's int; a number that is not finite configures nothing. */
  private static boolean isInRange(Object value, OptionDescriptor option) {
    return switch (option.type()) {
      case INTEGER ->
          value instanceof Integer || (value instanceof Long number && number == number.intValue());
      case NUMBER -> value instanceof Number number && Double.isFinite(number.doubleValue());
      case BOOLEAN, STRING, LIST_OF_STRINGS -> true;
    };
  }

  private static String range(OptionDescriptor option) {
    return option.type() == OptionDescriptor.Type.INTEGER
        ? "from %d to %d".formatted(Integer.MIN_VALUE, Integer.MAX_VALUE)
        : "finite";
  }

  private static String typeName(OptionDescriptor option) {
    return switch (option.type()) {
      case BOOLEAN -> "true or false";
      case INTEGER -> "an integer";
      case NUMBER -> "a number";
      case STRING ->
          option.allowed().isEmpty() ? "a text" : "one of " + String.join(", ", option.allowed());
      case LIST_OF_STRINGS -> "a list of texts";
    };
  }
}
