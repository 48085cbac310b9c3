package dev.kvant.api;

import java.util.List;
import java.util.Objects;

/**
 * The files that were written, with the report of what they hold.
 *
 * @param artifacts the files, the main one first
 * @param report what was done
 * @since 0.1.0
 */
public record SavedModel(List<Artifact> artifacts, QuantizationReport report) {

  public SavedModel {
    artifacts = List.copyOf(artifacts);
    Objects.requireNonNull(report, "report");
  }
}
