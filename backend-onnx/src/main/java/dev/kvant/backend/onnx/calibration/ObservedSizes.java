package dev.kvant.backend.onnx.calibration;

import dev.kvant.backend.onnx.placement.Sizes;
import dev.kvant.numerics.observer.Histogram;
import dev.kvant.numerics.observer.TensorStatistics;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.proto.TensorShapeProto;
import dev.kvant.onnx.proto.ValueInfoProto;
import dev.kvant.spi.CalibrationStatistics;

/**
 * The sizes of tensors, from how many of their values were observed.
 *
 * @since 0.1.0
 */
public final class ObservedSizes {

  private ObservedSizes() {}

  /**
   * The sizes of tensors for one sample; for all samples where the model does not say how large one
   * is, which changes no ratio.
   */
  public static Sizes of(Graph graph, CalibrationStatistics statistics) {
    double samples = samples(graph, statistics);
    return tensor -> count(statistics, tensor) / samples;
  }

  private static double count(CalibrationStatistics statistics, String tensor) {
    return statistics
        .tensor(tensor)
        .flatMap(TensorStatistics::histogram)
        .map(Histogram::total)
        .orElse(0L);
  }

  private static double samples(Graph graph, CalibrationStatistics statistics) {
    for (ValueInfoProto input : graph.inputs()) {
      TensorShapeProto shape = input.getType().getTensorType().getShape();
      double elements = 1;
      for (int axis = 1; axis < shape.getDimCount(); axis++) {
        elements *= shape.getDim(axis).getDimValue();
      }
      double count = count(statistics, input.getName());
      if (elements > 1 && count > 0) {
        return Math.max(1, count / elements);
      }
    }
    return 1;
  }
}
