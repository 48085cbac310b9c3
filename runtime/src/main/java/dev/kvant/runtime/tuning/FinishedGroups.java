package dev.kvant.runtime.tuning;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import dev.kvant.api.KvantException;
import dev.kvant.runtime.evaluation.OutputSimilarity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A file of finished groups: a line of JSON for what was analyzed, then one for each result. A line
 * that was cut short by the end of a process is ignored.
 */
final class FinishedGroups {

  private static final String WHAT = "kvant sensitivity 1";

  /** How the first line begins. */
  private static final String BEGINNING = "{\"kvant\":\"" + WHAT + "\"";

  private static final Gson GSON =
      new GsonBuilder()
          .disableHtmlEscaping()
          .serializeSpecialFloatingPointValues()
          .setStrictness(Strictness.LENIENT)
          .create();

  /**
   * The first line.
   *
   * @param kvant what the file is
   * @param analyzed the fingerprint of the model, the plan and the data
   */
  private record Head(@Nullable String kvant, @Nullable String analyzed) {}

  /**
   * A similarity.
   *
   * @param modules the group
   * @param alone whether only the group is quantized, and not all others
   */
  private record Line(
      @Nullable List<String> modules,
      boolean alone,
      double cosineMean,
      double cosineMin,
      double sqnr) {}

  private final @Nullable Path file;
  private final Map<List<Object>, OutputSimilarity> known = new LinkedHashMap<>();

  private FinishedGroups(@Nullable Path file) {
    this.file = file;
  }

  /** Without a file nothing is kept. */
  static FinishedGroups nowhere() {
    return new FinishedGroups(null);
  }

  /**
   * Reads the file, or begins it.
   *
   * @param analyzed the fingerprint of model, plan and data
   * @throws KvantException if it cannot be read or written, or belongs to another analysis
   */
  static FinishedGroups in(Path file, String analyzed) {
    FinishedGroups finished = new FinishedGroups(file);
    try {
      String first = GSON.toJson(new Head(WHAT, analyzed));
      String text = Files.exists(file) ? Files.readString(file) : "";
      // Also a first line that was not completed, if it is known to be one.
      if (text.isEmpty() || (text.startsWith(BEGINNING) && first.startsWith(text))) {
        Files.writeString(file, first + "\n");
        return finished;
      }
      finished.read(text, analyzed);
      return finished;
    } catch (IOException e) {
      throw new KvantException("%s cannot be read or written: %s".formatted(file, e), e);
    }
  }

  private void read(String text, String analyzed) throws IOException {
    List<String> lines = new ArrayList<>(text.lines().toList());
    Head head = parse(lines.get(0), Head.class).orElse(new Head(null, null));
    if (!WHAT.equals(head.kvant())) {
      throw new KvantException(
          "%s does not hold finished groups of an analysis; name another file".formatted(file));
    }
    if (!analyzed.equals(head.analyzed())) {
      throw new KvantException(
          "%s belongs to the analysis of another model, spec or data; remove it, or name another file"
              .formatted(file));
    }
    if (!text.endsWith("\n")) {
      lines.remove(lines.size() - 1);
      Files.writeString(Objects.requireNonNull(file), String.join("\n", lines) + "\n");
    }
    for (String line : lines.subList(1, lines.size())) {
      Line result =
          parse(line, Line.class)
              .filter(each -> each.modules() != null)
              .orElseThrow(
                  () ->
                      new KvantException(
                          "%s is damaged at the line '%s'; remove it".formatted(file, line)));
      known.put(
          key(Objects.requireNonNull(result.modules()), result.alone()),
          new OutputSimilarity(result.cosineMean(), result.cosineMin(), result.sqnr()));
    }
  }

  private static <T> Optional<T> parse(String line, Class<T> type) {
    try {
      return Optional.ofNullable(GSON.fromJson(line, type));
    } catch (JsonParseException e) {
      return Optional.empty();
    }
  }

  private static List<Object> key(List<String> modules, boolean alone) {
    return List.of(modules, alone);
  }

  /** What is known of a group; an empty group and {@code false} stand for all modules. */
  Optional<OutputSimilarity> find(List<String> modules, boolean alone) {
    return Optional.ofNullable(known.get(key(modules, alone)));
  }

  /**
   * Keeps a result.
   *
   * @throws KvantException if it cannot be written
   */
  void add(List<String> modules, boolean alone, OutputSimilarity similarity) {
    known.put(key(modules, alone), similarity);
    if (file == null) {
      return;
    }
    Line line =
        new Line(
            modules,
            alone,
            similarity.cosineMean(),
            similarity.cosineMin(),
            similarity.sqnrDecibels());
    try {
      Files.writeString(file, GSON.toJson(line) + "\n", StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new KvantException("%s cannot be written: %s".formatted(file, e), e);
    }
  }
}
