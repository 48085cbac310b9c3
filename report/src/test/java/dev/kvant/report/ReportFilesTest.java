package dev.kvant.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.KvantException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("The files of a report")
class ReportFilesTest {

  @TempDir private Path folder;

  private JsonDocument report() {
    List<String> names = Samples.names(2);
    return ReportDocument.of(
        StoredModel.in(folder, names), Samples.saved(folder, names), null, null);
  }

  @Test
  void are_written_into_a_folder_that_is_made() throws IOException {
    Path results = folder.resolve("new").resolve("results");
    JsonDocument report = report();

    List<Path> written = ReportFiles.at(results).write(report);

    assertThat(written).contains(results.resolve("report.json"));
    assertThat(results.resolve("report.json")).hasContent(report.json());
  }

  @Test
  void are_one_if_a_file_is_named() throws IOException {
    Path file = folder.resolve("Other.JSON");

    assertThat(ReportFiles.at(file).write(report())).containsExactly(file);
    assertThat(Files.readString(file)).contains("\"report_version\": 1");
  }

  @Test
  void replace_earlier_reports() throws IOException {
    ReportFiles files = ReportFiles.at(folder);
    files.write(report());
    Files.writeString(folder.resolve("report.json"), "\n", java.nio.file.StandardOpenOption.APPEND);

    files.write(report());

    assertThat(folder.resolve("report.json")).hasContent(report().json());
  }

  @Test
  void never_replace_what_is_no_report() throws IOException {
    Path mine = Files.writeString(folder.resolve("report.json"), "{\"sales\": 3}");
    ReportFiles files = ReportFiles.at(folder);

    assertThatThrownBy(files::check)
        .isInstanceOf(KvantException.class)
        .hasMessageContaining("report.json exists and is not a report of Kvant; move it");
    JsonDocument report = report();
    assertThatThrownBy(() -> files.write(report)).isInstanceOf(KvantException.class);
    assertThat(mine).hasContent("{\"sales\": 3}");
  }

  @Test
  void are_not_a_file_of_another_kind() throws IOException {
    Path model = Files.writeString(folder.resolve("model.onnx"), "weights");

    assertThatThrownBy(() -> ReportFiles.at(model))
        .isInstanceOf(KvantException.class)
        .hasMessageContaining("model.onnx is a file; name a folder for the report");
  }

  @Test
  void may_be_in_a_folder_whose_name_ends_like_a_file() throws IOException {
    Path odd = Files.createDirectory(folder.resolve("results.json"));

    assertThat(ReportFiles.at(odd).paths()).contains(odd.resolve("report.json"));
  }
}
