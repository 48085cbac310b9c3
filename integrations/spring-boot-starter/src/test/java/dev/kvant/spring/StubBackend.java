package dev.kvant.spring;

import dev.kvant.api.Dtype;
import dev.kvant.api.QuantizationMode;
import dev.kvant.spi.Availability;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.Quantizer;
import dev.kvant.spi.QuantizerContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.util.List;
import java.util.Map;

/**
 * A backend that only says what it is.
 *
 * @param id its id
 * @param availability whether it can work
 */
record StubBackend(String id, Availability availability) implements QuantizationBackend {

  @Override
  public BackendDescriptor descriptor() {
    return new BackendDescriptor(
        id,
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
    throw new UnsupportedOperationException("a stub");
  }
}
