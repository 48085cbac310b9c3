package dev.kvant.runtime.config;

import dev.kvant.api.Internal;
import dev.kvant.api.ModelQuantizationConfig;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The keys of a section of a document, which are the components of a record in snake case, in the
 * record's order.
 *
 * @param type the record
 * @since 0.1.0
 */
@Internal
public record ConfigKeys(Class<?> type) {

  /** Those of the section {@code quantize}. */
  public static final ConfigKeys QUANTIZE = new ConfigKeys(ModelQuantizationConfig.class);

  /** The keys, in order. */
  public List<String> names() {
    return Arrays.stream(type.getRecordComponents()).map(ConfigKeys::name).toList();
  }

  /** The position of a key; -1 if it is unknown. */
  public int indexOf(String key) {
    return names().indexOf(key);
  }

  /**
   * The keys of the section, or of each section in the list, under a key; null if there is none.
   */
  public @Nullable ConfigKeys inside(String key) {
    int index = indexOf(key);
    if (index < 0) {
      return null;
    }
    RecordComponent component = type.getRecordComponents()[index];
    Class<?> inside = component.getType();
    if (component.getGenericType() instanceof ParameterizedType list
        && List.class.equals(list.getRawType())
        && list.getActualTypeArguments()[0] instanceof Class<?> item) {
      inside = item;
    }
    return inside.isRecord() && !isSingleValue(inside) ? new ConfigKeys(inside) : null;
  }

  /** Such as a dtype, which is written as one word. */
  private static boolean isSingleValue(Class<?> type) {
    return type.getRecordComponents().length == 1;
  }

  private static String name(RecordComponent component) {
    return component.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
  }
}
