package dev.kvant.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kvant.spi.OptionDescriptor;
import java.util.HashSet;
import java.util.List;

/** Whether descriptors of options make sense. */
final class OptionChecks {

  private static final String INTEGER = "-?\\d+";
  private static final String NUMBER = "-?\\d+(\\.\\d+)?([eE]-?\\d+)?";

  private OptionChecks() {}

  /** Fails if two have one key, or a default is of another type than its option. */
  static void assertSound(List<OptionDescriptor> options) {
    List<String> keys = options.stream().map(OptionDescriptor::key).toList();
    assertEquals(keys.size(), new HashSet<>(keys).size(), () -> "keys of options: " + keys);
    for (OptionDescriptor option : options) {
      assertTrue(
          option.defaultValue().isEmpty() || isOfItsType(option),
          "the default '%s' of option '%s' is no %s%s"
              .formatted(
                  option.defaultValue(),
                  option.key(),
                  option.type(),
                  option.allowed().isEmpty() ? "" : " of " + option.allowed()));
    }
  }

  private static boolean isOfItsType(OptionDescriptor option) {
    String value = option.defaultValue();
    return switch (option.type()) {
      case BOOLEAN -> value.matches("true|false");
      case INTEGER -> value.matches(INTEGER);
      case NUMBER -> value.matches(NUMBER);
      case NUMBER_OR_WORD -> value.matches(NUMBER) || option.allowed().contains(value);
      case STRING -> option.allowed().isEmpty() || option.allowed().contains(value);
      case LIST_OF_STRINGS -> true;
      case LIST_OF_INTEGERS -> value.matches(INTEGER + "(,\\s*" + INTEGER + ")*");
      case LIST_OF_NUMBERS -> value.matches(NUMBER + "(,\\s*" + NUMBER + ")*");
    };
  }
}
