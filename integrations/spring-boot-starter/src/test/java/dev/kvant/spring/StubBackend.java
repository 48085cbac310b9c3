package dev.kvant.spring;

import dev.kvant.api.Dtype;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.spi.Availability;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.util.List;

/**
 * A backend that only says what it is.
 *
 * @param id its id
 * @param availability whether it can work
 */
record StubBackend(String id, Availability availability) implements QuantizationBackend {

  @Override
  public BackendDescriptor descriptor() {
    return BackendDescriptor.builder(id)
        .version("1.0")
        .description("Quantizes nothing.")
        .mode(
            QuantizationMode.WEIGHT_ONLY_PTQ,
            ModeDescriptor.builder().weights(List.of(Dtype.INT8)).build())
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
    throw new UnsupportedOperationException("a stub");
  }
}
