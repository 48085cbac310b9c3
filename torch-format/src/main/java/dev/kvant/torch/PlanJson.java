package dev.kvant.torch;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonWriter;
import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.RuleReference;
import dev.kvant.torch.archive.ArchiveRecord;
import dev.kvant.torch.archive.TorchArchive;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Plans as JSON, as they lie in the artifacts that they made, in the record {@value #RECORD}, which
 * PyTorch ignores. Equal plans give equal text.
 *
 * @since 0.1.0
 */
public final class PlanJson {

  /** The record of an archive that holds its plan, without the root folder. */
  public static final String RECORD = "extra/kvant.json";

  /** Grows when an older reader would misunderstand what is written. */
  private static final int VERSION = 1;

  private static final int MAX_BYTES = 64 << 20;

  private PlanJson() {}

  /** The plan of an archive, if it holds one. */
  static Optional<QuantizationPlan> find(TorchArchive archive) {
    return archive.find(RECORD).map(PlanJson::read);
  }

  private static QuantizationPlan read(ArchiveRecord record) {
    return read(record.readAll(MAX_BYTES), record.toString());
  }

  /** The plan as UTF-8 text. */
  public static byte[] write(QuantizationPlan plan) {
    var text = new StringWriter();
    try (var json = new JsonWriter(text)) {
      json.setIndent(" ");
      json.beginObject();
      json.name("version").value(VERSION);
      json.name("backend").value(plan.backend());
      json.name("mode").value(plan.mode().label());
      json.name("modules").beginArray();
      for (ModuleDecision module : plan.modules()) {
        json.beginObject();
        json.name("module").value(module.module());
        json.name("type").value(module.type());
        json.name("type_inferred").value(module.typeInferred());
        operand(json.name("weights"), module.weights());
        operand(json.name("activations"), module.activations());
        json.endObject();
      }
      json.endArray();
      json.name("warnings").beginArray();
      for (QuantizationWarning warning : plan.warnings()) {
        json.beginObject();
        json.name("kind").value(warning.kind().name());
        json.name("message").value(warning.message());
        rule(json.name("rule"), warning.rule());
        json.name("modules").beginArray();
        for (String module : warning.modules()) {
          json.value(module);
        }
        json.endArray();
        json.endObject();
      }
      json.endArray();
      json.endObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.append('\n').toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void operand(JsonWriter json, OperandDecision decision) throws IOException {
    json.beginObject();
    json.name("dtype").value(decision.dtype().name());
    json.name("requested").value(decision.requested().name());
    rule(json.name("decided_by"), decision.decidedBy());
    json.name("overrode").beginArray();
    for (RuleReference rule : decision.overrode()) {
      rule(json, rule);
    }
    json.endArray();
    json.name("reason").value(decision.reason());
    json.name("native_in").beginObject();
    for (Map.Entry<String, String> entry : new TreeMap<>(decision.nativeIn()).entrySet()) {
      json.name(entry.getKey()).value(entry.getValue());
    }
    json.endObject();
    json.name("quant_axis").value(decision.settings().quantAxis());
    json.name("algorithm").value(decision.settings().algorithm().name());
    json.name("algorithm_options").beginObject();
    for (Map.Entry<String, Object> entry :
        new TreeMap<>(decision.settings().algorithmOptions()).entrySet()) {
      option(json.name(entry.getKey()), entry.getValue());
    }
    json.endObject();
    json.endObject();
  }

  private static void option(JsonWriter json, Object value) throws IOException {
    if (value instanceof Boolean bool) {
      json.value(bool);
    } else if (value instanceof Number number) {
      json.value(number);
    } else {
      json.value(value.toString());
    }
  }

  private static void rule(JsonWriter json, @Nullable RuleReference rule) throws IOException {
    if (rule == null) {
      json.nullValue();
      return;
    }
    json.beginObject();
    json.name("kind").value(rule.kind().name());
    json.name("index").value(rule.index());
    json.name("pattern").value(rule.pattern());
    json.endObject();
  }

  /**
   * Reads a plan.
   *
   * @param json what {@link #write} gave
   * @param where what it is, for messages
   * @throws ModelFormatException if it is no such text, or was written by a newer version
   */
  public static QuantizationPlan read(byte[] json, String where) {
    try (var reader = new JsonReader(new StringReader(new String(json, StandardCharsets.UTF_8)))) {
      reader.setStrictness(Strictness.STRICT);
      JsonObject root = JsonParser.parseReader(reader).getAsJsonObject();
      int version = member(root, "version").getAsInt();
      if (version > VERSION) {
        throw new ModelFormatException(
            "%s is a plan of version %d, and this Kvant reads up to %d; use a newer one"
                .formatted(where, version, VERSION));
      }
      return new QuantizationPlan(
          member(root, "backend").getAsString(),
          QuantizationMode.find(member(root, "mode").getAsString()).orElseThrow(),
          list(root, "modules", PlanJson::module),
          list(root, "warnings", PlanJson::warning));
    } catch (IOException
        | JsonParseException
        | IllegalStateException
        | IllegalArgumentException
        | UnsupportedOperationException
        | NoSuchElementException e) {
      throw new ModelFormatException(
          "%s is no plan as Kvant writes it: %s".formatted(where, e.getMessage()), e);
    }
  }

  private static ModuleDecision module(JsonObject json) {
    return new ModuleDecision(
        member(json, "module").getAsString(),
        member(json, "type").getAsString(),
        member(json, "type_inferred").getAsBoolean(),
        operand(member(json, "weights").getAsJsonObject()),
        operand(member(json, "activations").getAsJsonObject()));
  }

  private static OperandDecision operand(JsonObject json) {
    Map<String, String> nativeIn = new LinkedHashMap<>();
    member(json, "native_in")
        .getAsJsonObject()
        .entrySet()
        .forEach(entry -> nativeIn.put(entry.getKey(), entry.getValue().getAsString()));
    return new OperandDecision(
        Dtype.of(member(json, "dtype").getAsString()),
        Dtype.of(member(json, "requested").getAsString()),
        optional(json, "decided_by", PlanJson::rule),
        list(json, "overrode", PlanJson::rule),
        optional(json, "reason", JsonElement::getAsString),
        nativeIn,
        settings(json));
  }

  private static OperandSettings settings(JsonObject json) {
    Map<String, Object> options = new LinkedHashMap<>();
    member(json, "algorithm_options")
        .getAsJsonObject()
        .entrySet()
        .forEach(
            entry -> options.put(entry.getKey(), option(entry.getValue().getAsJsonPrimitive())));
    return new OperandSettings(
        optional(json, "quant_axis", JsonElement::getAsInt),
        CalibrationAlgorithm.of(member(json, "algorithm").getAsString()),
        options);
  }

  private static Object option(JsonPrimitive value) {
    if (value.isBoolean()) {
      return value.getAsBoolean();
    }
    if (!value.isNumber()) {
      return value.getAsString();
    }
    BigDecimal number = value.getAsBigDecimal();
    if (value.getAsString().matches("-?\\d+")) {
      return narrowest(number.longValueExact());
    }
    return number.doubleValue();
  }

  private static Object narrowest(long number) {
    if (number == (int) number) {
      return (int) number;
    }
    return number;
  }

  private static QuantizationWarning warning(JsonObject json) {
    List<String> modules = new ArrayList<>();
    member(json, "modules").getAsJsonArray().forEach(name -> modules.add(name.getAsString()));
    return new QuantizationWarning(
        QuantizationWarning.Kind.valueOf(member(json, "kind").getAsString()),
        member(json, "message").getAsString(),
        optional(json, "rule", PlanJson::rule),
        modules);
  }

  private static RuleReference rule(JsonElement json) {
    JsonObject rule = json.getAsJsonObject();
    return new RuleReference(
        RuleReference.Kind.valueOf(member(rule, "kind").getAsString()),
        member(rule, "index").getAsInt(),
        optional(rule, "pattern", JsonElement::getAsString));
  }

  private static JsonElement member(JsonObject object, String name) {
    JsonElement member = object.get(name);
    if (member == null) {
      throw new JsonParseException("'%s' is missing".formatted(name));
    }
    return member;
  }

  private static <T> @Nullable T optional(
      JsonObject object, String name, Function<JsonElement, T> reader) {
    JsonElement member = member(object, name);
    return member.isJsonNull() ? null : reader.apply(member);
  }

  private static <T> List<T> list(JsonObject object, String name, Function<JsonObject, T> reader) {
    List<T> values = new ArrayList<>();
    JsonArray array = member(object, name).getAsJsonArray();
    array.forEach(element -> values.add(reader.apply(element.getAsJsonObject())));
    return values;
  }
}
