package dev.kvant.guice;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.Dtype;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.SavedModel;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.CalibrationStatistics;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.ModeDescriptor.Calibration;
import dev.kvant.spi.Observation;
import dev.kvant.spi.ProgressReporter;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import jakarta.inject.Inject;
import java.nio.file.Path;
import java.util.List;

/** A backend that Guice makes, and that only reports progress. */
final class StubBackend implements QuantizationBackend {

  private final StubSettings settings;

  @Inject
  StubBackend(StubSettings settings) {
    this.settings = settings;
  }

  @Override
  public BackendDescriptor descriptor() {
    return BackendDescriptor.builder(settings.id())
        .version("1.0")
        .description("Quantizes nothing.")
        .mode(
            QuantizationMode.WEIGHT_ONLY_PTQ,
            ModeDescriptor.builder()
                .weights(List.of(Dtype.INT8))
                .calibration(Calibration.OPTIONAL)
                .build())
        .format("stub")
        .artifact("stub.out")
        .build();
  }

  @Override
  public Support supports(SupportQuery query) {
    return Support.yes();
  }

  @Override
  public QuantizationRun begin(QuantizableModel model, QuantizationPlan plan, RunContext context) {
    return new StubRun(context);
  }

  /** The settings of the application for the backend. */
  record StubSettings(String id) {}

  private record StubRun(RunContext context) implements QuantizationRun {

    @Override
    public CalibrationStatistics observe(CalibrationDataset data, Observation least) {
      new ProgressReporter(context.listener(), "calibrate", 1, "batches").advance(1, "");
      return CalibrationStatistics.NONE;
    }

    @Override
    public void use(CalibrationStatistics statistics) {}

    @Override
    public SavedModel save(Path directory) {
      throw new UnsupportedOperationException("a stub");
    }

    @Override
    public void close() {}
  }
}
