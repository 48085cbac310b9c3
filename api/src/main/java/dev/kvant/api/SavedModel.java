package dev.kvant.api;

import java.util.List;
import java.util.Objects;

/**
 * The files that were written, with the report of what they hold.
 *
 * @param artifacts the files, the main one first
 * @param report what was done
 * @param verifications what came of running the model files beside their source; empty before that
 * @since 0.1.0
 */
public record SavedModel(
    List<Artifact> artifacts, QuantizationReport report, List<Verification> verifications) {

  public SavedModel {
    artifacts = List.copyOf(artifacts);
    Objects.requireNonNull(report, "report");
    verifications = List.copyOf(verifications);
  }

  /** Files that were not run yet. */
  public SavedModel(List<Artifact> artifacts, QuantizationReport report) {
    this(artifacts, report, List.of());
  }
}
