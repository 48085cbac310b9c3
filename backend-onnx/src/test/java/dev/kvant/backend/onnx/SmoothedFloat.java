package dev.kvant.backend.onnx;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.plan.PlannedGraph;
import dev.kvant.backend.onnx.preprocess.PreparedOnnxModel;
import dev.kvant.backend.onnx.smooth.SmoothGroup;
import dev.kvant.backend.onnx.smooth.Smoother;
import dev.kvant.onnx.OnnxFormat;
import dev.kvant.onnx.graph.OnnxWriter;
import dev.kvant.spi.CalibrationStatistics;
import dev.kvant.spi.Observation;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import java.nio.file.Path;

/** A graph after smoothing, and before anything of it is quantized. */
final class SmoothedFloat {

  private SmoothedFloat() {}

  static Path write(Path model, CalibrationDataset data, double alpha, Path folder) {
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder()
            .backend("onnx")
            .mode(QuantizationMode.STATIC_PTQ)
            .backendKwarg("smooth", alpha)
            .build();
    var backend = new OnnxBackend();
    RunContext context = RunContext.builder(config, backend.descriptor()).build();
    OnnxOptions options = OnnxOptions.of(config);
    try (QuantizableModel file = new OnnxFormat().open(model);
        QuantizableModel source = backend.prepare(file, context)) {
      QuantizationPlan plan =
          Plans.of(
              source,
              QuantizationMode.STATIC_PTQ,
              (each, module) -> Plans.Wish.both(Dtype.INT8),
              config);
      CalibrationStatistics statistics;
      try (QuantizationRun run = backend.begin(source, plan, context)) {
        statistics = run.observe(data, Observation.EXTREMES);
      }
      PlannedGraph planned = PlannedGraph.of((PreparedOnnxModel) source, plan, options);
      Smoother.apply(
          planned, SmoothGroup.of(planned, options), options.smooth(), 127, statistics, 1);
      Path smoothed = folder.resolve("smoothed.onnx");
      OnnxWriter.write(planned.model(), smoothed);
      return smoothed;
    }
  }
}
