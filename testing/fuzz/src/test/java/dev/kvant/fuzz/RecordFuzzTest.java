package dev.kvant.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.kvant.report.ReportDocument;
import dev.kvant.report.ReportFiles;
import dev.kvant.runtime.provenance.ArtifactManifest;
import dev.kvant.runtime.provenance.FolderCheck;
import dev.kvant.runtime.report.ReportRecord;
import java.nio.file.Files;
import java.nio.file.Path;

class RecordFuzzTest {

  @FuzzTest
  void reads_a_record(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(
        () -> {
          ReportRecord.verification(bytes, "the input", Path.of("model.onnx"));
          ReportRecord.write(ReportRecord.read(bytes, "the input"));
        });
  }

  @FuzzTest
  void reads_a_manifest(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(
        () -> {
          Path folder = Files.createDirectories(Input.place("artifacts"));
          Files.write(folder.resolve(ArtifactManifest.NAME), bytes);
          FolderCheck.of(folder, null, file -> false).differences(false);
        });
  }

  @FuzzTest
  void reads_a_report(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(
        () ->
            ReportFiles.at(Input.place("page.html"))
                .write(ReportDocument.read(input.file("report.json"))));
  }
}
