package dev.kvant.tck;

import dev.kvant.spi.ModelFormat;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;

/** The contract of a format with a defect, for {@link BrokenProvidersTest} to run. */
@ExtendWith(DefectResolver.class)
class DefectiveFormat extends ModelFormatContract {

  private final FormatDefect defect;

  DefectiveFormat(FormatDefect defect) {
    this.defect = defect;
  }

  @Override
  protected ModelFormat newFormat() {
    return defect == FormatDefect.NOT_REGISTERED
        ? new UnregisteredToyFormat()
        : new ToyFormat(defect);
  }

  @Override
  protected List<Path> samples() {
    return List.of(ToyModels.good());
  }
}
