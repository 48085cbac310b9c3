package dev.kvant.guice;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.Dtype;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizedModel;
import dev.kvant.api.SavedModel;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.Calibratable;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.ProgressReporter;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.Quantizer;
import dev.kvant.spi.QuantizerContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import jakarta.inject.Inject;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A backend that Guice makes, and that only reports progress. */
final class StubBackend implements QuantizationBackend {

  private final StubSettings settings;

  @Inject
  StubBackend(StubSettings settings) {
    this.settings = settings;
  }

  @Override
  public BackendDescriptor descriptor() {
    return new BackendDescriptor(
        settings.id(),
        List.of(),
        "1.0",
        "Quantizes nothing.",
        Map.of(
            QuantizationMode.WEIGHT_ONLY_PTQ,
            new ModeDescriptor(List.of(Dtype.INT8), List.of(), List.of())),
        List.of("stub"),
        List.of("stub.out"),
        List.of());
  }

  @Override
  public Support supports(SupportQuery query) {
    return Support.yes();
  }

  @Override
  public Quantizer create(QuantizerContext context) {
    return new StubQuantizer(context);
  }

  /** What the application tells the backend. */
  record StubSettings(String id) {}

  private record StubQuantizer(QuantizerContext context) implements Quantizer, Calibratable {

    @Override
    public void calibrate(PreparedModel model, CalibrationDataset data) {
      new ProgressReporter(context.listener(), "calibrate", 1, "batches").advance(1, "");
    }

    @Override
    public QuantizedModel quantize(PreparedModel model) {
      throw new UnsupportedOperationException("a stub");
    }

    @Override
    public SavedModel save(QuantizedModel model, Path directory) {
      throw new UnsupportedOperationException("a stub");
    }

    @Override
    public void close() {}
  }
}
