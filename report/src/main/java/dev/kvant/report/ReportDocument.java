package dev.kvant.report;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import com.google.gson.ToNumberPolicy;
import dev.kvant.api.Artifact;
import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Verification;
import dev.kvant.runtime.evaluation.FileBytes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The report of a quantization for programs: what {@code kvant quantize --format json} prints and
 * {@code report.json} holds. The page "Reports" of the documentation lists the keys.
 *
 * @since 0.1.0
 */
public final class ReportDocument {

  /** The key that comes first, with the version of the keys. */
  static final String VERSION_KEY = "report_version";

  /**
   * The version of the keys. It grows when a key changes its meaning or is removed, not when one is
   * added.
   */
  public static final int VERSION = 1;

  private static final Gson GSON =
      new GsonBuilder()
          .setStrictness(Strictness.STRICT)
          .setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE)
          .create();

  private ReportDocument() {}

  /**
   * A report.
   *
   * @param model the model that was quantized
   * @param saved what was written
   * @param evaluation the figures of the artifacts on data, or null if there was no evaluation
   * @param spec where the spec is that was made for the model, and its text; or null if a user
   *     wrote it
   */
  public static JsonDocument of(
      QuantizableModel model,
      SavedModel saved,
      @Nullable EvaluationResult evaluation,
      @Nullable JsonDocument spec) {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(saved, "saved");
    JsonDocument document =
        new JsonDocument()
            .put(VERSION_KEY, VERSION)
            .put("environment", EnvironmentDocument.ofThisProcess());
    PlanDocument.of(saved.report(), new StoredModules(model.modules()))
        .fields()
        .forEach(document::put);
    return document
        .put("model", ModelDocument.of(model))
        .put("artifacts", saved.artifacts().stream().map(ReportDocument::artifact).toList())
        .put("verification", saved.verifications().stream().map(VerificationDocument::of).toList())
        .put("evaluation", evaluation == null ? null : evaluation.document())
        .put("spec", spec);
  }

  /**
   * The report of an analysis, which has no artifacts.
   *
   * @param model the model that was analyzed
   * @param analysis what {@code kvant analyze --format json} prints
   */
  public static JsonDocument ofAnalysis(QuantizableModel model, JsonDocument analysis) {
    return new JsonDocument()
        .put(VERSION_KEY, VERSION)
        .put("environment", EnvironmentDocument.ofThisProcess())
        .put("backend", analysis.fields().get("backend"))
        .put("mode", analysis.fields().get("mode"))
        .put("model", ModelDocument.of(model))
        .put("analysis", analysis);
  }

  /**
   * The report that an artifact carries in its record. It has no model, no environment and no
   * evaluation, because the record has none.
   *
   * @param artifact the artifact
   * @param report what its record says
   * @param verification what its record says of the verification; empty if it says nothing
   */
  public static JsonDocument ofRecord(
      QuantizableModel artifact, QuantizationReport report, Optional<Verification> verification) {
    JsonDocument document = new JsonDocument().put(VERSION_KEY, VERSION).put("environment", null);
    PlanDocument.of(report, new StoredModules(List.of())).fields().forEach(document::put);
    return document
        .put("model", null)
        .put(
            "artifacts",
            List.of(
                artifact(
                    new Artifact(
                        artifact.source(),
                        Artifact.Role.MODEL,
                        artifact.format(),
                        FileBytes.of(artifact.files()),
                        "the artifact that the report was read from"))))
        .put("verification", verification.stream().map(VerificationDocument::of).toList())
        .put("evaluation", null)
        .put("spec", null);
  }

  /** Whether a file is a report, by the beginning of its text. */
  public static boolean isReport(Path file) {
    return ReportFiles.begins(file, '"' + VERSION_KEY + '"');
  }

  /**
   * Reads a report that was written by {@link ReportFiles}.
   *
   * @throws KvantException if the file cannot be read, is not a report, or was written by a newer
   *     version
   */
  public static JsonDocument read(Path file) {
    try {
      if (GSON.fromJson(Files.readString(file), Object.class) instanceof Map<?, ?> fields
          && fields.get(VERSION_KEY) instanceof Long version) {
        if (version > VERSION) {
          throw new KvantException(
              "%s is a report of version %d, and this Kvant reads up to %d; use a newer Kvant"
                  .formatted(file, version, VERSION));
        }
        JsonDocument document = new JsonDocument();
        fields.forEach((key, value) -> document.put(String.valueOf(key), value));
        return document;
      }
    } catch (JsonParseException e) {
      throw new KvantException(
          "%s is not a valid report of Kvant: %s".formatted(file, e.getMessage()), e);
    } catch (IOException e) {
      throw new KvantException("%s cannot be read: %s".formatted(file, e), e);
    }
    throw new KvantException(
        "%s is not a report of Kvant: it has no number '%s'".formatted(file, VERSION_KEY));
  }

  private static JsonDocument artifact(Artifact artifact) {
    return new JsonDocument()
        .put("path", artifact.path())
        .put("role", artifact.role().name().toLowerCase(Locale.ROOT))
        .put("format", artifact.format())
        .put("bytes", artifact.bytes())
        .put("description", artifact.description());
  }
}
