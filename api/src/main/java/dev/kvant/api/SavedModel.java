package dev.kvant.api;

import java.util.List;
import java.util.Objects;

/**
 * The written files, with their report.
 *
 * @param artifacts the files, the main one first
 * @param report the report
 * @since 0.1.0
 */
public record SavedModel(List<Artifact> artifacts, QuantizationReport report) {

  public SavedModel {
    artifacts = List.copyOf(artifacts);
    Objects.requireNonNull(report, "report");
  }
}
