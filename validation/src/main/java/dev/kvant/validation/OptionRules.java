package dev.kvant.validation;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.spi.OptionDescriptor;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Checks settings against the descriptors of a backend or a data reader. */
final class OptionRules {

  private final String prefix;
  private final String owner;
  private final List<OptionDescriptor> descriptors;

  /**
   * @param prefix where the settings stand, as in {@code quantize.backend_kwargs.}
   * @param owner who reads them, as in {@code backend 'onnx'}
   * @param descriptors what may be set
   */
  OptionRules(String prefix, String owner, List<OptionDescriptor> descriptors) {
    this.prefix = prefix;
    this.owner = owner;
    this.descriptors = descriptors;
  }

  void check(Map<String, Object> values, List<ConfigurationProblem> problems) {
    values.forEach(
        (key, value) -> {
          Optional<OptionDescriptor> option =
              descriptors.stream().filter(known -> known.key().equals(key)).findFirst();
          if (option.isEmpty()) {
            problems.add(new ConfigurationProblem(prefix + key, unknown(key)));
          } else if (!option.get().accepts(value)) {
            problems.add(
                new ConfigurationProblem(
                    prefix + key,
                    "must be %s, but is '%s'".formatted(option.get().typeName(), value)));
          } else if (!isInRange(value, option.get().type())) {
            problems.add(
                new ConfigurationProblem(
                    prefix + key,
                    "must be %s, but is '%s'".formatted(range(option.get().type()), value)));
          } else if (option.get().type() != OptionDescriptor.Type.NUMBER_OR_WORD
              && !option.get().allowed().isEmpty()
              && !option.get().allowed().contains(String.valueOf(value))) {
            problems.add(
                new ConfigurationProblem(
                    prefix + key,
                    "'%s' is not possible; use one of %s"
                        .formatted(value, String.join(", ", option.get().allowed()))));
          } else if (key.equals(OptionDescriptor.CALIBRATION_CACHE) && !isFileName(value)) {
            problems.add(
                new ConfigurationProblem(
                    prefix + key,
                    "'%s' names no file; leave the key out to keep nothing".formatted(value)));
          }
        });
  }

  /** Whoever reads an integer reads Java's int; a number that is not finite configures nothing. */
  private static boolean isInRange(Object value, OptionDescriptor.Type type) {
    return switch (type) {
      case INTEGER -> value instanceof Number number && isInt(number);
      case NUMBER -> value instanceof Number number && Double.isFinite(number.doubleValue());
      case NUMBER_OR_WORD ->
          !(value instanceof Number) || isInRange(value, OptionDescriptor.Type.NUMBER);
      case LIST_OF_INTEGERS -> all(value, OptionDescriptor.Type.INTEGER);
      case LIST_OF_NUMBERS -> all(value, OptionDescriptor.Type.NUMBER);
      case BOOLEAN, STRING, LIST_OF_STRINGS -> true;
    };
  }

  private static boolean all(Object value, OptionDescriptor.Type type) {
    return value instanceof List<?> list
        ? list.stream().allMatch(element -> isInRange(element, type))
        : isInRange(value, type);
  }

  private static boolean isInt(Number number) {
    return number instanceof Integer || (number instanceof Long whole && whole == whole.intValue());
  }

  private static String range(OptionDescriptor.Type type) {
    return switch (type) {
      case INTEGER, LIST_OF_INTEGERS ->
          "from %d to %d".formatted(Integer.MIN_VALUE, Integer.MAX_VALUE);
      default -> "finite";
    };
  }

  private static boolean isFileName(Object value) {
    try {
      return value instanceof String text && !text.isBlank() && Path.of(text).getFileName() != null;
    } catch (InvalidPathException e) {
      return false;
    }
  }

  private String unknown(String key) {
    List<String> known = descriptors.stream().map(OptionDescriptor::key).toList();
    if (known.isEmpty()) {
      return "is unknown; %s has no options".formatted(owner);
    }
    List<String> nearest = NearestNames.of(key, known, 1);
    return nearest.isEmpty()
        ? "is unknown; %s has %s".formatted(owner, String.join(", ", known))
        : "is unknown; did you mean '%s'?".formatted(nearest.get(0));
  }
}
