package dev.kvant.runtime.config;

import dev.kvant.api.DataConfig;
import dev.kvant.api.Internal;
import dev.kvant.api.ModelQuantizationConfig;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The keys of a section of a document, which are the components of a record in snake case, in the
 * record's order. Those of a {@link DataConfig} stand beside the others, and where it holds
 * settings, the settings of data readers do.
 *
 * @param type the record
 * @param dataSettings the keys that the installed data readers understand
 * @since 0.1.0
 */
@Internal
public record ConfigKeys(Class<?> type, Set<String> dataSettings) {

  /** Those of the section {@code quantize}, without the settings of data readers. */
  public static final ConfigKeys QUANTIZE = quantize(Set.of());

  /** Those of the section {@code quantize}. */
  static ConfigKeys quantize(Set<String> dataSettings) {
    return new ConfigKeys(ModelQuantizationConfig.class, dataSettings);
  }

  /** The keys, in order. */
  public List<String> names() {
    return Arrays.stream(type.getRecordComponents()).flatMap(this::names).toList();
  }

  private Stream<String> names(RecordComponent component) {
    if (component.getType().equals(DataConfig.class)) {
      return Stream.concat(
          Arrays.stream(DataConfig.class.getRecordComponents())
              .filter(inner -> !inner.getType().equals(Map.class))
              .map(ConfigKeys::name),
          dataSettings.stream());
    }
    return Stream.of(name(component));
  }

  /** The position of a key; -1 if it is unknown. */
  public int indexOf(String key) {
    return names().indexOf(key);
  }

  /**
   * The keys of the section, or of each section in the list, under a key; null if there is none.
   */
  public @Nullable ConfigKeys inside(String key) {
    for (RecordComponent component : type.getRecordComponents()) {
      if (name(component).equals(key) && !component.getType().equals(DataConfig.class)) {
        return inside(component);
      }
    }
    return null;
  }

  private @Nullable ConfigKeys inside(RecordComponent component) {
    Class<?> inside = component.getType();
    if (component.getGenericType() instanceof ParameterizedType list
        && List.class.equals(list.getRawType())
        && list.getActualTypeArguments()[0] instanceof Class<?> item) {
      inside = item;
    }
    return inside.isRecord() && !isSingleValue(inside)
        ? new ConfigKeys(inside, dataSettings)
        : null;
  }

  /** Such as a dtype, which is written as one word. */
  private static boolean isSingleValue(Class<?> type) {
    return type.getRecordComponents().length == 1;
  }

  private static String name(RecordComponent component) {
    return component.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
  }
}
