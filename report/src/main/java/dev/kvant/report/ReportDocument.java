package dev.kvant.report;

import dev.kvant.api.Artifact;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.SavedModel;
import java.util.Locale;
import java.util.Objects;
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

  private static JsonDocument artifact(Artifact artifact) {
    return new JsonDocument()
        .put("path", artifact.path())
        .put("role", artifact.role().name().toLowerCase(Locale.ROOT))
        .put("format", artifact.format())
        .put("bytes", artifact.bytes())
        .put("description", artifact.description());
  }
}
