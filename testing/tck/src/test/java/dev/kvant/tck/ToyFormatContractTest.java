package dev.kvant.tck;

import dev.kvant.spi.ModelFormat;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;

/** As an author would extend the contract. */
@DisplayName("A good toy format")
class ToyFormatContractTest extends ModelFormatContract {

  @Override
  protected ModelFormat newFormat() {
    return new ToyFormat();
  }

  @Override
  protected List<Path> samples() {
    return List.of(ToyModels.good());
  }
}
