package dev.kvant.spi.plan;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Dtype;
import dev.kvant.api.Internal;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.RuleReference;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Plans as JSON, as artifacts carry the plan that made them. Equal plans give equal text.
 *
 * <p>A format that finds such a text in a file gives it as {@link
 * dev.kvant.api.QuantizableModel#plan()}.
 *
 * @since 0.1.0
 */
@Internal
public final class PlanJson {

  /** Grows when an older reader would misunderstand what is written. */
  private static final int VERSION = 1;

  private PlanJson() {}

  /**
   * Returns a plan as text.
   *
   * @param plan the plan
   * @return UTF-8
   */
  public static byte[] write(QuantizationPlan plan) {
    Map<String, @Nullable Object> root = new LinkedHashMap<>();
    root.put("version", VERSION);
    root.put("backend", plan.backend());
    root.put("mode", plan.mode().label());
    root.put("modules", plan.modules().stream().map(PlanJson::tree).toList());
    root.put("warnings", plan.warnings().stream().map(PlanJson::tree).toList());
    return JsonPrinter.print(root).getBytes(StandardCharsets.UTF_8);
  }

  private static Map<String, @Nullable Object> tree(ModuleDecision module) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("module", module.module());
    json.put("type", module.type());
    json.put("type_inferred", module.typeInferred());
    json.put("weights", tree(module.weights()));
    json.put("activations", tree(module.activations()));
    return json;
  }

  private static Map<String, @Nullable Object> tree(QuantizationWarning warning) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("kind", warning.kind().name());
    json.put("message", warning.message());
    json.put("rule", tree(warning.rule()));
    json.put("modules", warning.modules());
    return json;
  }

  private static Map<String, @Nullable Object> tree(OperandDecision decision) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("dtype", decision.dtype().name());
    json.put("requested", decision.requested().name());
    json.put("decided_by", tree(decision.decidedBy()));
    json.put("overrode", decision.overrode().stream().map(PlanJson::tree).toList());
    json.put("reason", decision.reason());
    json.put("native_in", new TreeMap<>(decision.nativeIn()));
    json.put("quant_axis", decision.settings().quantAxis());
    json.put("algorithm", decision.settings().algorithm().name());
    json.put("algorithm_options", new TreeMap<>(decision.settings().algorithmOptions()));
    return json;
  }

  private static @Nullable Map<String, @Nullable Object> tree(@Nullable RuleReference rule) {
    if (rule == null) {
      return null;
    }
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("kind", rule.kind().name());
    json.put("index", rule.index());
    json.put("pattern", rule.pattern());
    return json;
  }

  /**
   * Reads a plan.
   *
   * @param json what {@link #write} gave
   * @param where what it is, for messages
   * @return the plan
   * @throws ModelFormatException if it is no such text, or was written by a newer version
   */
  public static QuantizationPlan read(byte[] json, String where) {
    try {
      Map<?, ?> root =
          cast(Map.class, JsonParser.parse(new String(json, StandardCharsets.UTF_8)), "the plan");
      int version = member(root, "version", Integer.class);
      if (version > VERSION) {
        throw new ModelFormatException(
            "%s is a plan of version %d, and this Kvant reads up to %d; use a newer one"
                .formatted(where, version, VERSION));
      }
      return new QuantizationPlan(
          member(root, "backend", String.class),
          QuantizationMode.find(member(root, "mode", String.class)).orElseThrow(),
          list(root, "modules", PlanJson::module),
          list(root, "warnings", PlanJson::warning));
    } catch (IllegalArgumentException | NoSuchElementException e) {
      throw new ModelFormatException(
          "%s is no plan as Kvant writes it: %s".formatted(where, e.getMessage()), e);
    }
  }

  private static ModuleDecision module(Map<?, ?> json) {
    return new ModuleDecision(
        member(json, "module", String.class),
        member(json, "type", String.class),
        member(json, "type_inferred", Boolean.class),
        operand(object(json, "weights")),
        operand(object(json, "activations")));
  }

  private static OperandDecision operand(Map<?, ?> json) {
    Map<String, String> nativeIn = new LinkedHashMap<>();
    object(json, "native_in")
        .forEach(
            (artifact, reason) ->
                nativeIn.put(
                    cast(String.class, artifact, "native_in"),
                    cast(String.class, reason, "native_in")));
    return new OperandDecision(
        Dtype.of(member(json, "dtype", String.class)),
        Dtype.of(member(json, "requested", String.class)),
        rule(json, "decided_by"),
        list(json, "overrode", PlanJson::rule),
        optional(json, "reason", String.class),
        nativeIn,
        settings(json));
  }

  private static OperandSettings settings(Map<?, ?> json) {
    Map<String, Object> options = new LinkedHashMap<>();
    object(json, "algorithm_options")
        .forEach(
            (name, value) ->
                options.put(
                    cast(String.class, name, "algorithm_options"),
                    cast(Object.class, value, "algorithm_options")));
    return new OperandSettings(
        optional(json, "quant_axis", Integer.class),
        CalibrationAlgorithm.of(member(json, "algorithm", String.class)),
        options);
  }

  private static QuantizationWarning warning(Map<?, ?> json) {
    return new QuantizationWarning(
        QuantizationWarning.Kind.valueOf(member(json, "kind", String.class)),
        member(json, "message", String.class),
        rule(json, "rule"),
        array(json, "modules").stream()
            .<String>map(name -> cast(String.class, name, "modules"))
            .toList());
  }

  private static @Nullable RuleReference rule(Map<?, ?> json, String name) {
    return isNull(json, name) ? null : rule(object(json, name));
  }

  private static RuleReference rule(Map<?, ?> json) {
    return new RuleReference(
        RuleReference.Kind.valueOf(member(json, "kind", String.class)),
        member(json, "index", Integer.class),
        optional(json, "pattern", String.class));
  }

  private static <T> T cast(Class<T> type, @Nullable Object value, String name) {
    if (!type.isInstance(value)) {
      throw new IllegalArgumentException(
          "'%s' is missing or not what it should be".formatted(name));
    }
    return type.cast(value);
  }

  private static <T> T member(Map<?, ?> object, String name, Class<T> type) {
    return cast(type, object.get(name), name);
  }

  private static <T> @Nullable T optional(Map<?, ?> object, String name, Class<T> type) {
    return isNull(object, name) ? null : member(object, name, type);
  }

  private static boolean isNull(Map<?, ?> object, String name) {
    return object.containsKey(name) && object.get(name) == null;
  }

  private static Map<?, ?> object(Map<?, ?> object, String name) {
    return member(object, name, Map.class);
  }

  private static List<?> array(Map<?, ?> object, String name) {
    return member(object, name, List.class);
  }

  private static <T> List<T> list(Map<?, ?> object, String name, Function<Map<?, ?>, T> reader) {
    return array(object, name).stream()
        .<T>map(element -> reader.apply(cast(Map.class, element, name)))
        .toList();
  }
}
