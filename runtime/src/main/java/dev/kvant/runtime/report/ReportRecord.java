package dev.kvant.runtime.report;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import com.google.gson.ToNumberPolicy;
import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Dtype;
import dev.kvant.api.Granularity;
import dev.kvant.api.Internal;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandOutcome;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.OperatorReport;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.Requirement;
import dev.kvant.api.RuleReference;
import dev.kvant.api.Verification;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reports as the records that artifacts carry: JSON with the keys of {@link ReportTree} and a
 * version. Equal reports give equal bytes.
 *
 * @since 0.1.0
 */
@Internal
public final class ReportRecord {

  private static final String VERSION_KEY = "version";

  /** Grows when an older reader would misunderstand what is written. */
  private static final int VERSION = 1;

  /** White space behind the text, which leaves room for the result of a verification. */
  private static final int ROOM = 1024;

  /** To how many characters names and reasons are cut, the first that fits. */
  private static final List<Integer> MOST_CHARACTERS = List.of(300, 100, 30);

  private static final double TENTHS = 10;

  private static final Gson GSON =
      new GsonBuilder()
          .disableHtmlEscaping()
          .setStrictness(Strictness.STRICT)
          .setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE)
          .create();

  private ReportRecord() {}

  /**
   * Returns the record of a report.
   *
   * @return UTF-8
   */
  public static byte[] write(QuantizationReport report) {
    Map<String, @Nullable Object> root = new LinkedHashMap<>();
    root.put(VERSION_KEY, VERSION);
    root.putAll(ReportTree.of(report));
    return (GSON.toJson(root) + " ".repeat(ROOM)).getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Adds what came of a verification to a record: of the outputs and of the tensors only the one
   * with the lowest ratio, to a tenth of a decibel.
   *
   * @param record what {@link #write} gave
   * @return a record of the same length with the same CRC-32; empty if it has no room
   */
  public static Optional<byte[]> with(byte[] record, Verification verification) {
    Map<?, ?> known =
        GSON.fromJson(new String(record, StandardCharsets.UTF_8), LinkedHashMap.class);
    return MOST_CHARACTERS.stream()
        .map(
            most -> {
              Map<Object, @Nullable Object> root = new LinkedHashMap<>(known);
              root.put(ReportTree.VERIFICATION, ReportTree.of(shortened(verification, most)));
              return SameChecksum.pad(GSON.toJson(root), record);
            })
        .flatMap(Optional::stream)
        .findFirst();
  }

  private static Verification shortened(Verification verification, int most) {
    return Verification.builder(verification.artifact(), verification.status())
        .reason(cut(verification.reason(), most))
        .samples(verification.samples(), verification.synthetic())
        .outputs(lowest(verification.sqnrByOutput(), most))
        .tensors(verification.tensors(), lowest(verification.sqnrByTensor(), most))
        .build();
  }

  private static Map<String, Double> lowest(Map<String, Double> ratios, int most) {
    return ratios.entrySet().stream()
        .min(Map.Entry.comparingByValue())
        .map(
            lowest ->
                Map.of(
                    String.valueOf(cut(lowest.getKey(), most)),
                    Double.isInfinite(lowest.getValue())
                        ? lowest.getValue()
                        : Double.valueOf(Math.rint(lowest.getValue() * TENTHS) / TENTHS)))
        .orElse(Map.of());
  }

  private static @Nullable String cut(@Nullable String text, int most) {
    return text == null || text.codePointCount(0, text.length()) <= most
        ? text
        : text.substring(0, text.offsetByCodePoints(0, most)) + "…";
  }

  /**
   * Reads what came of the verification of an artifact.
   *
   * @param record the record in it
   * @param where what it is, for messages
   * @param artifact where the artifact is
   * @return empty if the record does not tell
   * @throws ModelFormatException if it is no such record
   */
  public static Optional<Verification> verification(byte[] record, String where, Path artifact) {
    try {
      Map<?, ?> root = root(record, where);
      return isNull(root, ReportTree.VERIFICATION)
          ? Optional.empty()
          : Optional.of(verification(object(root, ReportTree.VERIFICATION), artifact));
    } catch (JsonParseException | IllegalArgumentException e) {
      throw invalid(where, e);
    }
  }

  private static Verification verification(Map<?, ?> json, Path artifact) {
    return Verification.builder(
            artifact,
            Verification.Status.valueOf(upper(member(json, ReportTree.STATUS, String.class))))
        .reason(optional(json, ReportTree.REASON, String.class))
        .samples(
            member(json, ReportTree.SAMPLES, Long.class).intValue(),
            member(json, ReportTree.SYNTHETIC, Boolean.class))
        .outputs(ratios(json, ReportTree.OUTPUTS, ReportTree.OUTPUT))
        .tensors(
            member(json, ReportTree.TENSORS, Long.class).intValue(),
            ratios(json, ReportTree.WEIGHTS, ReportTree.TENSOR))
        .build();
  }

  private static Map<String, Double> ratios(Map<?, ?> json, String name, String what) {
    Map<String, Double> ratios = new LinkedHashMap<>();
    for (Object element : array(json, name)) {
      Map<?, ?> each = cast(Map.class, element, name);
      Number ratio = optional(each, ReportTree.RATIO, Number.class);
      ratios.put(
          member(each, what, String.class),
          ratio == null ? Double.valueOf(Double.POSITIVE_INFINITY) : ratio.doubleValue());
    }
    return ratios;
  }

  /**
   * Reads a record.
   *
   * @param record what {@link #write} gave
   * @param where what it is, for messages
   * @throws ModelFormatException if it is no such record, or was written by a newer version
   */
  public static QuantizationReport read(byte[] record, String where) {
    try {
      Map<?, ?> root = root(record, where);
      return new QuantizationReport(
          member(root, ReportTree.BACKEND, String.class),
          QuantizationMode.of(member(root, ReportTree.MODE, String.class)),
          list(root, ReportTree.MODULES, ReportRecord::module),
          isNull(root, ReportTree.OPERATORS)
              ? List.of()
              : list(root, ReportTree.OPERATORS, ReportRecord::operator),
          list(root, ReportTree.WARNINGS, ReportRecord::warning),
          isNull(root, ReportTree.REQUIREMENTS)
              ? List.of()
              : list(root, ReportTree.REQUIREMENTS, ReportRecord::requirement));
    } catch (JsonParseException | IllegalArgumentException e) {
      throw invalid(where, e);
    }
  }

  private static ModelFormatException invalid(String where, RuntimeException cause) {
    return new ModelFormatException(
        "%s is not a valid record of Kvant: %s".formatted(where, cause.getMessage()), cause);
  }

  private static Map<?, ?> root(byte[] record, String where) {
    Map<?, ?> root =
        cast(
            Map.class,
            GSON.fromJson(new String(record, StandardCharsets.UTF_8), Object.class),
            "the record");
    int version = member(root, VERSION_KEY, Long.class).intValue();
    if (version > VERSION) {
      throw new ModelFormatException(
          "%s is a record of version %d, and this Kvant reads up to %d; use a newer Kvant"
              .formatted(where, version, VERSION));
    }
    return root;
  }

  private static ModuleReport module(Map<?, ?> json) {
    Map<?, ?> weights = object(json, ReportTree.WEIGHTS);
    Map<?, ?> activations = object(json, ReportTree.ACTIVATIONS);
    return ModuleReport.builder(
            new ModuleDecision(
                member(json, ReportTree.MODULE, String.class),
                member(json, ReportTree.CLASS, String.class),
                member(json, ReportTree.CLASS_INFERRED, Boolean.class),
                decision(weights),
                decision(activations)))
        .weights(outcome(object(weights, ReportTree.OUTCOME)))
        .activations(outcome(object(activations, ReportTree.OUTCOME)))
        .bytes(
            member(json, ReportTree.BYTES_BEFORE, Long.class),
            member(json, ReportTree.BYTES_AFTER, Long.class))
        .note(optional(json, ReportTree.NOTE, String.class))
        .build();
  }

  private static OperatorReport operator(Map<?, ?> json) {
    return new OperatorReport(
        member(json, ReportTree.CLASS, String.class), outcome(json), names(json, ReportTree.NAMES));
  }

  private static List<String> names(Map<?, ?> json, String key) {
    return array(json, key).stream().<String>map(name -> cast(String.class, name, key)).toList();
  }

  private static OperandOutcome outcome(Map<?, ?> json) {
    Number sqnr = optional(json, ReportTree.SQNR, Number.class);
    return new OperandOutcome(
        Dtype.of(member(json, ReportTree.DTYPE, String.class)),
        granularity(json),
        member(json, ReportTree.LOSSLESS, Boolean.class)
            ? Double.valueOf(Double.POSITIVE_INFINITY)
            : sqnr == null ? null : Double.valueOf(sqnr.doubleValue()),
        optional(json, ReportTree.REASON, String.class));
  }

  private static OperandDecision decision(Map<?, ?> json) {
    Map<String, String> nativeIn = new LinkedHashMap<>();
    object(json, ReportTree.NATIVE_IN)
        .forEach(
            (artifact, reason) ->
                nativeIn.put(
                    cast(String.class, artifact, ReportTree.NATIVE_IN),
                    cast(String.class, reason, ReportTree.NATIVE_IN)));
    return new OperandDecision(
        Dtype.of(member(json, ReportTree.DTYPE, String.class)),
        Dtype.of(member(json, ReportTree.REQUESTED, String.class)),
        rule(json, ReportTree.DECIDED_BY),
        list(json, ReportTree.OVERRODE, ReportRecord::rule),
        optional(json, ReportTree.REASON, String.class),
        nativeIn,
        settings(json));
  }

  private static @Nullable Granularity granularity(Map<?, ?> json) {
    String text = optional(json, ReportTree.GRANULARITY, String.class);
    return text == null ? null : Granularity.of(text);
  }

  private static OperandSettings settings(Map<?, ?> json) {
    Map<String, Object> options = new LinkedHashMap<>();
    object(json, ReportTree.ALGORITHM_OPTIONS)
        .forEach(
            (name, value) ->
                options.put(
                    cast(String.class, name, ReportTree.ALGORITHM_OPTIONS),
                    narrowest(cast(Object.class, value, ReportTree.ALGORITHM_OPTIONS))));
    return new OperandSettings(
        granularity(json),
        CalibrationAlgorithm.of(member(json, ReportTree.ALGORITHM, String.class)),
        options);
  }

  /** Whole numbers as documents give them. */
  private static Object narrowest(Object value) {
    return value instanceof Long number && number == number.intValue()
        ? Integer.valueOf(number.intValue())
        : value;
  }

  private static Requirement requirement(Map<?, ?> json) {
    return new Requirement(
        member(json, ReportTree.OF, String.class),
        member(json, ReportTree.VALUE, String.class),
        member(json, ReportTree.REASON, String.class));
  }

  private static QuantizationWarning warning(Map<?, ?> json) {
    return new QuantizationWarning(
        QuantizationWarning.Kind.valueOf(upper(member(json, ReportTree.KIND, String.class))),
        member(json, ReportTree.MESSAGE, String.class),
        rule(json, ReportTree.RULE),
        names(json, ReportTree.MODULES));
  }

  private static @Nullable RuleReference rule(Map<?, ?> json, String name) {
    return isNull(json, name) ? null : rule(object(json, name));
  }

  private static RuleReference rule(Map<?, ?> json) {
    Long index = optional(json, ReportTree.INDEX, Long.class);
    return new RuleReference(
        RuleReference.Kind.valueOf(upper(member(json, ReportTree.KIND, String.class))),
        index == null ? -1 : index.intValue(),
        optional(json, ReportTree.PATTERN, String.class));
  }

  private static String upper(String text) {
    return text.toUpperCase(Locale.ROOT);
  }

  private static <T> T cast(Class<T> type, @Nullable Object value, String name) {
    if (!type.isInstance(value)) {
      throw new IllegalArgumentException("'%s' is missing or of another type".formatted(name));
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
    return object.get(name) == null;
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
