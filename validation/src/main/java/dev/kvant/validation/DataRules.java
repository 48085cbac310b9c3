package dev.kvant.validation;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.DataConfig;
import dev.kvant.api.Internal;
import dev.kvant.spi.DataReaderDescriptor;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.Options;
import java.util.ArrayList;
import java.util.List;

/**
 * Checks the settings of a data set against the data reader that reads it.
 *
 * @since 0.1.0
 */
@Internal
public final class DataRules {

  private DataRules() {}

  /**
   * Finds all that can be known to be wrong without reading the data.
   *
   * @param section where the settings stand, as in {@code quantize.calibration}; empty for nowhere
   */
  public static List<ConfigurationProblem> check(
      String section, DataConfig data, DataReaderProvider reader) {
    String prefix = section.isEmpty() ? "" : section + ".";
    DataReaderDescriptor descriptor = reader.descriptor();
    List<ConfigurationProblem> problems = new ArrayList<>();
    new OptionRules(prefix, "data reader '%s'".formatted(descriptor.id()), descriptor.options())
        .check(data.options(), problems);
    if (problems.isEmpty()) {
      for (ConfigurationProblem problem :
          reader.validate(Options.of(descriptor.options(), data.options()))) {
        problems.add(new ConfigurationProblem(prefix + problem.path(), problem.message()));
      }
    }
    return problems;
  }
}
