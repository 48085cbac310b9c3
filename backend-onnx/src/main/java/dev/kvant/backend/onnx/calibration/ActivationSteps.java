package dev.kvant.backend.onnx.calibration;

import dev.kvant.backend.onnx.concurrent.Workers;
import dev.kvant.backend.onnx.plan.Activation;
import dev.kvant.numerics.observer.AffineStep;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.numerics.observer.RangeObserver;
import dev.kvant.numerics.observer.TensorStatistics;
import dev.kvant.spi.CalibrationStatistics;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The scales and zero points of activations, found in what was observed of them.
 *
 * @since 0.1.0
 */
public final class ActivationSteps {

  private final Map<Activation, AffineStep> steps;

  private ActivationSteps(Map<Activation, AffineStep> steps) {
    this.steps = steps;
  }

  /** Searches the ranges of activations, each by its own algorithm. */
  public static ActivationSteps of(
      Set<Activation> activations, CalibrationStatistics statistics, int parallelism) {
    Map<Activation, AffineStep> steps = new ConcurrentHashMap<>();
    try (var workers = new Workers<Object>(parallelism, Object::new)) {
      for (Activation activation : activations) {
        statistics
            .tensor(activation.tensor())
            .ifPresent(
                seen -> workers.submit(any -> steps.put(activation, step(activation, seen))));
      }
      workers.finish();
    }
    return new ActivationSteps(steps);
  }

  private static AffineStep step(Activation activation, TensorStatistics seen) {
    Grid grid = activation.setting().grid();
    RangeObserver observer = activation.setting().observer();
    seen.showTo(observer);
    return grid.step(observer.range(grid));
  }

  /** The step of an activation; empty if the data never reached it. */
  public Optional<AffineStep> of(Activation activation) {
    return Optional.ofNullable(steps.get(activation));
  }
}
