package dev.kvant.runtime;

import dev.kvant.api.Artifact;
import dev.kvant.api.FinishedStep;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.Printable;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.SavedModel;
import org.slf4j.Logger;

/**
 * Writes what quantizers do into the application's log: warnings, saved models with their modules
 * and bytes, and, for those who ask for more, how long each step took.
 */
final class QuantizationLog implements QuantizationListener {

  private final Logger log;

  QuantizationLog(Logger log) {
    this.log = log;
  }

  @Override
  public void onWarning(QuantizationWarning warning) {
    log.warn(Printable.of(warning.message()));
  }

  @Override
  public void onFinished(FinishedStep step) {
    log.debug(
        "Backend '{}': '{}' {} after {} ms",
        step.backend(),
        step.step(),
        switch (step.outcome()) {
          case DONE -> "was done";
          case CANCELLED -> "was interrupted";
          case FAILED -> "failed";
        },
        step.duration().toMillis());
  }

  @Override
  public void onSaved(SavedModel model) {
    QuantizationReport report = model.report();
    log.info(
        "Backend '{}' quantized {} of {} modules from {} to {} bytes and wrote {}",
        report.backend(),
        report.modules().stream().filter(module -> module.decision().isQuantized()).count(),
        report.modules().size(),
        report.modules().stream().mapToLong(ModuleReport::bytesBefore).sum(),
        report.modules().stream().mapToLong(ModuleReport::bytesAfter).sum(),
        model.artifacts().stream().map(Artifact::path).toList());
  }
}
