package dev.kvant.tck;

import dev.kvant.spi.DataReaderProvider;
import java.util.List;
import org.junit.jupiter.api.DisplayName;

/** As an author would extend the contract. */
@DisplayName("A good toy data reader")
class ToyReaderContractTest extends DataReaderContract {

  @Override
  protected DataReaderProvider newProvider() {
    return new ToyReader();
  }

  @Override
  protected List<SampleData> samples() {
    return ToyData.samples();
  }
}
