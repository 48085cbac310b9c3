package dev.kvant.runtime.report;

import dev.kvant.api.Internal;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.UnsupportedModelException;

/**
 * Refuses models that are quantized already.
 *
 * @since 0.1.0
 */
@Internal
public final class QuantizedBefore {

  private QuantizedBefore() {}

  /**
   * Refuses a model that Kvant or another tool has quantized.
   *
   * @throws UnsupportedModelException if it is one, naming who quantized it
   */
  public static void refuse(QuantizableModel model) {
    model
        .record()
        .map(record -> ReportRecord.read(record, "the record in " + model.source()))
        .filter(report -> report.modules().stream().anyMatch(ModuleReport::isQuantized))
        .ifPresent(
            report -> {
              throw new UnsupportedModelException(
                  "%s is quantized already, by backend '%s' in %s; start from the model that it was made of"
                      .formatted(model.source(), report.backend(), report.mode()));
            });
    model
        .quantizedBy()
        .ifPresent(
            tool -> {
              throw new UnsupportedModelException(
                  "%s is quantized already, by %s; start from the model that it was made of"
                      .formatted(model.source(), tool));
            });
  }
}
