package dev.kvant.tck;

import dev.kvant.spi.DataReaderProvider;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;

/** The contract of a data reader with a defect, for {@link BrokenProvidersTest} to run. */
@ExtendWith(DefectResolver.class)
class DefectiveReader extends DataReaderContract {

  private final ReaderDefect defect;

  DefectiveReader(ReaderDefect defect) {
    this.defect = defect;
  }

  @Override
  protected DataReaderProvider newProvider() {
    return defect == ReaderDefect.NOT_REGISTERED
        ? new UnregisteredToyReader()
        : new ToyReader(defect);
  }

  @Override
  protected List<SampleData> samples() {
    return ToyData.samples();
  }
}
