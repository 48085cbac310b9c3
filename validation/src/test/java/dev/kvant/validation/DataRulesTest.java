package dev.kvant.validation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.DataConfig;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.DataReaderDescriptor;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.DataRequest;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.Options;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Checking the settings of a data set")
class DataRulesTest {

  private static final DataConfig DATA = DataConfig.of(Path.of("data"));

  /** A data reader that wants an odd number of pixels. */
  private record Pixels(DataReaderDescriptor descriptor) implements DataReaderProvider {

    Pixels() {
      this(
          new DataReaderDescriptor(
              "pixels",
              "Reads pixels.",
              List.of(
                  OptionDescriptor.of(
                      "pixels.size", OptionDescriptor.Type.LIST_OF_INTEGERS, "How many."),
                  OptionDescriptor.of(
                      "pixels.mean", OptionDescriptor.Type.LIST_OF_NUMBERS, "What is subtracted."),
                  OptionDescriptor.choice("pixels.layout", List.of("NCHW", "NHWC"), "In order."))));
    }

    @Override
    public boolean recognizes(Path path) {
      return false;
    }

    @Override
    public List<ConfigurationProblem> validate(Options options) {
      return options.integers("pixels.size").stream()
          .filter(size -> size % 2 == 0)
          .map(size -> new ConfigurationProblem("pixels.size", "must be odd, but is " + size))
          .toList();
    }

    @Override
    public DataReader open(DataRequest request) {
      throw new UnsupportedOperationException();
    }
  }

  private static List<String> problems(DataConfig data) {
    return DataRules.check("quantize.calibration", data, new Pixels()).stream()
        .map(ConfigurationProblem::toString)
        .toList();
  }

  @Test
  void finds_nothing_where_all_is_right() {
    assertThat(
            problems(
                DATA.with("pixels", Map.of("size", List.of(3, 5), "mean", 0.5, "layout", "NHWC"))))
        .isEmpty();
  }

  @Test
  void takes_a_single_number_for_a_list() {
    assertThat(problems(DATA.with("pixels.size", 3))).isEmpty();
  }

  @Test
  void finds_values_of_another_type_and_those_that_cannot_be_chosen() {
    assertThat(
            problems(
                DATA.with("pixels.size", List.of(1.5))
                    .with("pixels.mean", "grey")
                    .with("pixels.layout", "CHW")))
        .containsExactly(
            "quantize.calibration.pixels.size: must be a list of integers, but is '[1.5]'",
            "quantize.calibration.pixels.mean: must be a list of numbers, but is 'grey'",
            "quantize.calibration.pixels.layout: 'CHW' is not possible; use one of NCHW, NHWC");
  }

  @Test
  void names_the_key_that_was_meant() {
    assertThat(problems(DATA.with("pixels.siez", 3)))
        .containsExactly(
            "quantize.calibration.pixels.siez: is unknown; did you mean 'pixels.size'?");
  }

  @Test
  void asks_the_data_reader_what_else_is_wrong() {
    assertThat(problems(DATA.with("pixels.size", List.of(3, 4, 6))))
        .containsExactly(
            "quantize.calibration.pixels.size: must be odd, but is 4",
            "quantize.calibration.pixels.size: must be odd, but is 6");
  }
}
