package dev.kvant.backend.onnx.calibration;

import dev.kvant.api.Distribution;
import dev.kvant.backend.onnx.placement.Bounds;
import dev.kvant.backend.onnx.plan.Activation;
import dev.kvant.backend.onnx.plan.ActivationSetting;
import dev.kvant.backend.onnx.plan.QuantizedActivation;
import dev.kvant.kit.Distributions;
import dev.kvant.kit.NoRange;
import dev.kvant.kit.Outliers;
import dev.kvant.kit.Workers;
import dev.kvant.numerics.observer.AffineStep;
import dev.kvant.numerics.observer.Histogram;
import dev.kvant.numerics.observer.RangeObserver;
import dev.kvant.numerics.observer.TensorStatistics;
import dev.kvant.numerics.observer.ValueRange;
import dev.kvant.spi.CalibrationStatistics;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The scales and zero points of activations, found in what was observed of them.
 *
 * @since 0.1.0
 */
public final class ActivationSteps {

  private final Map<Activation, ValueRange> ranges;
  private final CalibrationStatistics statistics;

  private ActivationSteps(Map<Activation, ValueRange> ranges, CalibrationStatistics statistics) {
    this.ranges = ranges;
    this.statistics = statistics;
  }

  /** Searches the ranges of activations, each by its own algorithm. */
  public static ActivationSteps of(
      Set<Activation> activations, CalibrationStatistics statistics, int parallelism) {
    Map<Activation, ValueRange> ranges = new ConcurrentHashMap<>();
    try (var workers = new Workers<Object>(parallelism, Object::new)) {
      for (Activation activation : activations) {
        statistics
            .tensor(activation.tensor())
            .ifPresent(
                seen -> workers.submit(any -> ranges.put(activation, range(activation, seen))));
      }
      workers.finish();
    }
    return new ActivationSteps(ranges, statistics);
  }

  private static ValueRange range(Activation activation, TensorStatistics seen) {
    RangeObserver observer = activation.setting().observer();
    seen.showTo(observer);
    return observer.range(activation.setting().grid());
  }

  /**
   * The step of an activation: that of the ranges of all that share its scale, within its bounds.
   *
   * @param quantized one that {@link #noRange} has nothing against
   */
  public AffineStep of(QuantizedActivation quantized) {
    return quantized.activation().setting().grid().step(range(quantized));
  }

  private ValueRange range(QuantizedActivation quantized) {
    Bounds bounds = quantized.bounds();
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    for (ValueRange range : known(quantized)) {
      min = Math.min(min, range.min());
      max = Math.max(max, range.max());
    }
    return quantized.isWhole()
        ? new ValueRange(bounds.min(), bounds.max())
        : new ValueRange(within(bounds, min), within(bounds, max));
  }

  /**
   * How the values of an activation are distributed, and what chose its range.
   *
   * @param samples values of tensors whose statistics have no distribution, by {@link
   *     Activation#tensor()}
   * @return empty if there is no range, or it is not known how they are distributed
   */
  public Optional<Distribution> distribution(
      QuantizedActivation quantized, Map<String, Histogram> samples) {
    if (noRange(quantized).isPresent()) {
      return Optional.empty();
    }
    Activation activation = quantized.activation();
    ActivationSetting setting = activation.setting();
    boolean isOwn = quantized.scale().equals(List.of(activation)) && !quantized.isWhole();
    return statistics
        .tensor(activation.tensor())
        .flatMap(TensorStatistics::histogram)
        .or(() -> Optional.ofNullable(samples.get(activation.tensor())))
        .flatMap(
            counted ->
                Distributions.of(
                    counted,
                    setting.grid(),
                    isOwn && setting.response().functions().isEmpty() ? setting.algorithm() : null,
                    range(quantized)));
  }

  /**
   * Why no range serves an activation.
   *
   * @return empty if a range does
   */
  public Optional<NoRange> noRange(QuantizedActivation quantized) {
    if (quantized.isWhole()) {
      return Optional.empty();
    }
    List<ValueRange> known = known(quantized);
    if (known.isEmpty()) {
      return Optional.of(NoRange.UNREACHED);
    }
    if (known.stream().map(NoRange::of).allMatch(Optional.of(NoRange.ZEROS)::equals)) {
      return Optional.of(NoRange.ZEROS);
    }
    Bounds bounds = quantized.bounds();
    return known.stream()
        .map(range -> new ValueRange(within(bounds, range.min()), within(bounds, range.max())))
        .flatMap(range -> NoRange.of(range).stream())
        .filter(NoRange.MASKS::equals)
        .findFirst();
  }

  /** What large values cost the others of an activation that gets integer codes. */
  public Optional<Outliers> outliers(QuantizedActivation quantized) {
    if (!quantized.activation().setting().isInteger() || noRange(quantized).isPresent()) {
      return Optional.empty();
    }
    return statistics
        .tensor(quantized.activation().tensor())
        .flatMap(seen -> Outliers.of(of(quantized).scale(), seen));
  }

  private List<ValueRange> known(QuantizedActivation quantized) {
    return quantized.scale().stream().map(ranges::get).filter(Objects::nonNull).toList();
  }

  private static float within(Bounds bounds, float value) {
    return Math.max(bounds.min(), Math.min(bounds.max(), value));
  }
}
