package dev.kvant.numerics.observer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/**
 * Searches the range whose quantization changes least of what functions make of the values: {@code
 * Σ_f Σ n (f(x) - f(x̂))² / Σ n f(x)²}, over the ranges that {@link CostSearch} tries.
 */
final class ResponseSearch implements HistogramObserver.Search {

  /** A function, and sums of its results over the bins. */
  private record Response(DoubleUnaryOperator function, BinSums sums, double power) {}

  private final List<DoubleUnaryOperator> functions;

  ResponseSearch(List<DoubleUnaryOperator> functions) {
    this.functions = functions;
  }

  @Override
  public ValueRange range(Histogram histogram, Grid grid) {
    Histogram.Bins bins = histogram.bins();
    List<Response> responses = new ArrayList<>();
    for (DoubleUnaryOperator function : functions) {
      BinSums sums = BinSums.of(bins, function);
      double power = sums.squaredError(0, sums.size(), 0);
      if (power > 0) {
        responses.add(new Response(function, sums, power));
      }
    }
    return new CostSearch(
            (sums, each, range, limit) -> error(responses, sums, each, range, limit), 0)
        .range(histogram, grid);
  }

  private static double error(
      List<Response> responses, BinSums sums, Grid grid, ValueRange range, double limit) {
    AffineStep step = grid.step(range);
    double sum = 0;
    int end;
    for (int bin = 0; bin < sums.size() && sum < limit; bin = end) {
      end = sums.endOfCode(bin, sums.size(), grid, step);
      double restored = grid.restore(sums.center(bin), step);
      for (Response each : responses) {
        double response = each.function().applyAsDouble(restored);
        sum += each.sums().squaredError(bin, end, response) / each.power();
      }
    }
    return sum;
  }
}
