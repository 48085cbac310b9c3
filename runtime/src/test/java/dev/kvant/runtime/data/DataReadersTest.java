package dev.kvant.runtime.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.DataConfig;
import dev.kvant.api.DataException;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.UnavailableException;
import dev.kvant.spi.Availability;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.DataReaderDescriptor;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.DataRequest;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.tck.NamedPipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Data readers")
class DataReadersTest {

  @TempDir private Path folder;

  /** Reads files of an ending; what it opens has no samples and tells its id. */
  private record Fake(DataReaderDescriptor descriptor, String ending, Availability availability)
      implements DataReaderProvider {

    Fake(String id, String ending, String... keys) {
      this(
          new DataReaderDescriptor(
              id,
              "Reads %s files.".formatted(ending),
              Stream.of(keys)
                  .map(
                      key ->
                          OptionDescriptor.of(key, OptionDescriptor.Type.STRING, "For the test."))
                  .toList()),
          ending,
          Availability.available());
    }

    @Override
    public boolean recognizes(Path path) {
      return path.toString().endsWith(ending);
    }

    @Override
    public DataReader open(DataRequest request) {
      String tokenizer =
          request.options().isSet("tokenizer") ? request.options().text("tokenizer") : "nothing";
      throw new DataException(
          "%s reads %s with %s".formatted(descriptor.id(), request.path(), tokenizer));
    }
  }

  private final DataReaders readers =
      new DataReaders(
          List.of(
              new Fake("text", ".txt", "tokenizer", "column"),
              new Fake("table", ".csv", "column"),
              new Fake("images", ".png", "images.size", "images.mean"),
              new Fake("other", ".csv", "sheet")));

  private Path file(String name) throws IOException {
    return Files.writeString(folder.resolve(name), "x");
  }

  private String opens(DataConfig data) {
    try {
      readers.open(data, List.of(), remark -> {});
      throw new AssertionError("opened");
    } catch (DataException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private List<String> problems(DataConfig data) {
    return readers.problems("quantize.evaluation", data).stream()
        .map(ConfigurationProblem::toString)
        .toList();
  }

  @Test
  void name_the_first_parts_of_their_settings() {
    assertThat(readers.settings()).containsExactly("column", "images", "sheet", "tokenizer");
  }

  @Test
  void are_chosen_by_the_path_where_there_are_no_settings() throws IOException {
    assertThat(opens(DataConfig.of(file("a.txt")))).startsWith("text reads");
    assertThat(opens(DataConfig.of(file("a.png")))).startsWith("images reads");
  }

  @Test
  void are_chosen_by_settings_that_one_alone_has_whatever_the_path() throws IOException {
    assertThat(opens(DataConfig.of(file("a.png")).with("tokenizer", "t.json")))
        .startsWith("text reads")
        .endsWith("with t.json");
    assertThat(opens(DataConfig.of(file("a")).with("images", Map.of("size", "5", "mean", "1"))))
        .startsWith("images reads");
  }

  @Test
  void are_chosen_by_settings_and_path_together() throws IOException {
    assertThat(opens(DataConfig.of(file("a.csv")).with("column", "c"))).startsWith("table reads");
    assertThat(opens(DataConfig.of(file("a.txt")).with("column", "c"))).startsWith("text reads");
  }

  @Test
  void are_chosen_by_name() throws IOException {
    assertThat(opens(DataConfig.of(file("a.csv")).readBy("text"))).startsWith("text reads");
  }

  @Test
  void are_named_where_several_could_read() throws IOException {
    Path file = file("a.csv");

    assertThat(opens(DataConfig.of(file)))
        .isEqualTo("the data readers table, other all read " + file + "; name one in 'reader'");
    assertThat(problems(DataConfig.of(file))).isEmpty();
  }

  @Test
  void are_listed_where_none_can_read() throws IOException {
    Path file = file("a.wav");

    assertThat(opens(DataConfig.of(file)))
        .isEqualTo(
            file
                + " is not data that can be read; data readers: text (reads .txt files), table"
                + " (reads .csv files), images (reads .png files), other (reads .csv files)");
  }

  @Test
  void miss_data_that_is_not_there_only_when_it_is_read() {
    DataConfig data = DataConfig.of(folder.resolve("a.txt"));

    assertThat(problems(data)).isEmpty();
    assertThat(opens(data)).isEqualTo("the data " + data.path() + " does not exist");
  }

  @Test
  void tell_what_was_meant_by_an_unknown_name_or_setting() {
    DataConfig data = DataConfig.of(folder.resolve("a"));

    assertThat(problems(data.readBy("texts")))
        .containsExactly(
            "quantize.evaluation.reader: no data reader 'texts' is installed; did you mean"
                + " 'text'?");
    assertThat(problems(data.with("colum", "c")))
        .containsExactly("quantize.evaluation.colum: is unknown; did you mean 'column'?");
    assertThat(problems(data.with("tokenizer", "t").with("colum", "c")))
        .containsExactly("quantize.evaluation.colum: is unknown; did you mean 'column'?");
  }

  @Test
  void refuse_settings_of_several_of_them() {
    DataConfig data = DataConfig.of(folder.resolve("a"));

    assertThat(problems(data.with("tokenizer", "t").with("images.size", "5")))
        .containsExactly(
            "quantize.evaluation.tokenizer: belongs to data reader 'text', and other settings here"
                + " do not; name one in 'reader'",
            "quantize.evaluation.images.size: belongs to data reader 'images', and other settings"
                + " here do not; name one in 'reader'");
  }

  @Test
  void refuse_settings_of_another_type_before_anything_is_read() throws IOException {
    DataConfig data = DataConfig.of(file("a.txt")).with("tokenizer", 5);

    assertThat(problems(data))
        .containsExactly("quantize.evaluation.tokenizer: must be a text, but is '5'");
    assertThatThrownBy(() -> readers.open(data, List.of(), remark -> {}))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessageContaining("tokenizer: must be a text, but is '5'");
  }

  @Test
  void that_cannot_work_here_say_why() throws IOException {
    Fake lame =
        new Fake(
            new DataReaderDescriptor("lame", "Reads nothing.", List.of()),
            ".txt",
            Availability.unavailable("its native library is missing"));
    DataConfig data = DataConfig.of(file("a.txt"));

    assertThatThrownBy(() -> new DataReaders(List.of(lame)).open(data, List.of(), remark -> {}))
        .isInstanceOf(UnavailableException.class)
        .hasMessage("data reader 'lame' cannot work here: its native library is missing");
  }

  @Test
  void are_not_asked_to_look_at_a_pipe() throws Exception {
    Path pipe = NamedPipe.create(folder.resolve("a.txt"));

    assertThat(problems(DataConfig.of(pipe))).isEmpty();
    assertThat(
            NamedPipe.assertRefused(
                pipe, () -> readers.open(DataConfig.of(pipe), List.of(), remark -> {})))
        .startsWith("the data %s cannot be read: it is a pipe".formatted(pipe));
  }
}
