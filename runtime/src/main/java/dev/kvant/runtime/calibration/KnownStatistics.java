package dev.kvant.runtime.calibration;

import dev.kvant.api.Internal;
import dev.kvant.numerics.observer.TensorStatistics;
import dev.kvant.spi.CalibrationStatistics;
import dev.kvant.spi.Observation;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What was observed of one model on one data set, so that several configurations need one pass.
 *
 * @since 0.1.0
 */
@Internal
public final class KnownStatistics {

  private CalibrationStatistics statistics = CalibrationStatistics.NONE;

  /** Whether nothing has to be observed for a run that needs that. */
  public boolean tell(Map<String, Observation> needed) {
    return needed.entrySet().stream()
        .allMatch(tensor -> statistics.tells(tensor.getKey(), tensor.getValue()));
  }

  /** All that is known. */
  public CalibrationStatistics statistics() {
    return statistics;
  }

  /** Adds what was observed, in place of what was known of the same tensors. */
  public void add(CalibrationStatistics observed) {
    Map<String, Optional<TensorStatistics>> all = new TreeMap<>(statistics.tensors());
    all.putAll(observed.tensors());
    statistics = new CalibrationStatistics(all);
  }
}
