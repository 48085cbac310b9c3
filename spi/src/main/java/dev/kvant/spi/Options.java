package dev.kvant.spi;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The options of a backend or a data reader, each with the value of the configuration or else its
 * default.
 *
 * <p>A getter of another type than the {@link OptionDescriptor} declares, or of a key that it does
 * not declare, is an error of its author: {@link IllegalArgumentException}.
 *
 * @since 0.1.0
 */
public final class Options {

  private final Map<String, OptionDescriptor> descriptors = new LinkedHashMap<>();
  private final Map<String, Object> values;

  private Options(List<OptionDescriptor> descriptors, Map<String, Object> values) {
    descriptors.forEach(descriptor -> this.descriptors.put(descriptor.key(), descriptor));
    this.values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  /**
   * The options that a configuration sets, on top of the defaults.
   *
   * @param descriptors the options that are declared
   * @param kwargs the values of the configuration, validated against the descriptors
   */
  public static Options of(List<OptionDescriptor> descriptors, Map<String, Object> kwargs) {
    return new Options(descriptors, kwargs);
  }

  /** Whether an option of that key is declared. */
  public boolean declares(String key) {
    return descriptors.containsKey(key);
  }

  /** Whether the configuration sets an option. */
  public boolean isSet(String key) {
    return values.containsKey(key);
  }

  /** The value of an option that is on or off. */
  public boolean flag(String key) {
    OptionDescriptor option = option(key, OptionDescriptor.Type.BOOLEAN);
    return isSet(key) ? (Boolean) set(key) : Boolean.parseBoolean(option.defaultValue());
  }

  /** The value of an integer. */
  public int integer(String key) {
    OptionDescriptor option = option(key, OptionDescriptor.Type.INTEGER);
    return isSet(key)
        ? Math.toIntExact(((Number) set(key)).longValue())
        : Integer.parseInt(option.defaultValue());
  }

  /** The value of a number. */
  public double number(String key) {
    OptionDescriptor option = option(key, OptionDescriptor.Type.NUMBER);
    return isSet(key)
        ? ((Number) set(key)).doubleValue()
        : Double.parseDouble(option.defaultValue());
  }

  /** The text of an option; the empty string where nothing is set and there is no default. */
  public String text(String key) {
    OptionDescriptor option = option(key, OptionDescriptor.Type.STRING);
    return isSet(key) ? String.valueOf(set(key)) : option.defaultValue();
  }

  /** A number or a word as text; where nothing is set, the default. */
  public String numberOrWord(String key) {
    OptionDescriptor option = option(key, OptionDescriptor.Type.NUMBER_OR_WORD);
    if (!isSet(key)) {
      return option.defaultValue();
    }
    Object value = set(key);
    return Boolean.FALSE.equals(value) ? OptionDescriptor.OFF : String.valueOf(value);
  }

  /** The texts of an option; empty where nothing is set. */
  public List<String> texts(String key) {
    option(key, OptionDescriptor.Type.LIST_OF_STRINGS);
    List<String> texts = new ArrayList<>();
    if (isSet(key)) {
      ((List<?>) set(key)).forEach(element -> texts.add(String.valueOf(element)));
    }
    return List.copyOf(texts);
  }

  /** The integers of an option, a single one among them; empty where nothing is set. */
  public List<Integer> integers(String key) {
    option(key, OptionDescriptor.Type.LIST_OF_INTEGERS);
    return numbers(key).map(number -> Math.toIntExact(number.longValue())).toList();
  }

  /** The numbers of an option, a single one among them; empty where nothing is set. */
  public List<Double> doubles(String key) {
    option(key, OptionDescriptor.Type.LIST_OF_NUMBERS);
    return numbers(key).map(Number::doubleValue).toList();
  }

  private Stream<Number> numbers(String key) {
    if (!isSet(key)) {
      return Stream.empty();
    }
    List<?> list = set(key) instanceof List<?> several ? several : List.of(set(key));
    return list.stream().map(Number.class::cast);
  }

  private Object set(String key) {
    Object value = values.get(key);
    if (value == null) {
      throw new IllegalArgumentException("option '%s' is set to nothing".formatted(key));
    }
    return value;
  }

  private OptionDescriptor option(String key, OptionDescriptor.Type type) {
    OptionDescriptor option = descriptors.get(key);
    if (option == null) {
      throw new IllegalArgumentException(
          "no option '%s' is declared; declared: %s".formatted(key, descriptors.keySet()));
    }
    if (option.type() != type) {
      throw new IllegalArgumentException(
          "option '%s' is declared as %s, not as %s".formatted(key, option.type(), type));
    }
    return option;
  }
}
