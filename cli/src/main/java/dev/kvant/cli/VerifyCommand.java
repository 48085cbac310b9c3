package dev.kvant.cli;

import dev.kvant.api.KvantException;
import dev.kvant.cli.output.Screens;
import dev.kvant.cli.output.Style;
import dev.kvant.cli.output.Table;
import dev.kvant.cli.output.Table.Column;
import dev.kvant.report.JsonDocument;
import dev.kvant.report.ReportFiles;
import dev.kvant.report.SpecFile;
import dev.kvant.runtime.provenance.FolderCheck;
import dev.kvant.runtime.provenance.FolderCheck.CheckedFile;
import dev.kvant.runtime.provenance.FolderCheck.Result;
import dev.kvant.runtime.provenance.RecordedRun;
import dev.kvant.runtime.tuning.TuningResult;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Says whether artifacts are still what was written. */
@Command(
    name = VerifyCommand.NAME,
    description = {
      "Compares the files of a folder of artifacts, and the model that they were made from, with"
          + " the sizes and SHA-256 sums in its kvant-manifest.json, which 'quantize' writes.",
      "Runs no model. A manifest is not signed: it shows what changed since it was written, not who"
          + " wrote it."
    },
    exitCodeList = {
      "0:every file is as it was written",
      Subcommand.EXIT_FAILED,
      Subcommand.EXIT_WRONG_INPUT,
      "4:a file is not what the manifest says",
      Subcommand.EXIT_INTERRUPTED
    },
    footerHeading = "%nExamples:%n",
    footer = {"  kvant verify results", "  kvant verify results --model model.onnx --allow-others"})
final class VerifyCommand extends Subcommand {

  static final String NAME = "verify";

  private static final Set<String> BESIDE =
      Set.of(SpecFile.NAME, TuningFile.NAME, TuningResult.STATISTICS);

  @Parameters(paramLabel = "DIR", description = "A folder of artifacts.")
  @SuppressWarnings("NullAway.Init")
  private Path folder;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description =
          "The model that the artifacts were made from. Default: the one that the manifest names,"
              + " if it is there.")
  private @Nullable Path model;

  @Option(
      names = "--allow-others",
      description = "Files that the manifest does not name are listed, and are no difference.")
  private boolean othersAllowed;

  VerifyCommand(Screens screens, Installations installations) {
    super(screens, installations);
  }

  @Override
  public Integer call() {
    FolderCheck check = FolderCheck.of(folder, model, this::isBeside);
    print(() -> document(check), () -> show(check));
    List<CheckedFile> differences = check.differences(othersAllowed);
    for (CheckedFile file : differences) {
      err()
          .paragraph(
              "error: ",
              Style.ERROR,
              "%s: %s".formatted(folder.resolve(file.path()), file.detail()));
    }
    return differences.isEmpty() ? ExitCode.DONE : ExitCode.REJECTED;
  }

  /** Whether Kvant writes such files beside artifacts. */
  private boolean isBeside(Path file) {
    Path name = file.getFileName();
    if (!folder.equals(file.getParent()) || name == null) {
      return false;
    }
    if (BESIDE.contains(name.toString())) {
      return true;
    }
    String ending = name.toString().toLowerCase(Locale.ROOT);
    if (!ending.endsWith(".json") && !ending.endsWith(".html")) {
      return false;
    }
    try {
      ReportFiles.at(file).check();
      return true;
    } catch (KvantException noReport) {
      return false;
    }
  }

  private void show(FolderCheck check) {
    Table files =
        Table.of(Column.name("file"), Column.text("result"), Column.prose("what differs"));
    check.files().forEach(file -> row(files, file));
    files.print(out());
    for (RecordedRun run : check.runs()) {
      out().line();
      out()
          .line(
              "%s by backend %s, mode %s; Kvant %s, Java %s"
                  .formatted(
                      Count.of(run.files().size(), "file"),
                      run.backend(),
                      run.mode(),
                      run.kvant(),
                      run.java()));
    }
    if (!check.sources().isEmpty()) {
      out().line();
      Table sources =
          Table.of(Column.name("source"), Column.text("result"), Column.prose("what differs"));
      check.sources().forEach(file -> row(sources, file));
      sources.print(out());
    }
  }

  private static void row(Table table, CheckedFile file) {
    table.row(file.path(), words(file.result()), file.detail() == null ? "" : file.detail());
  }

  private static String words(Result result) {
    return result.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private JsonDocument document(FolderCheck check) {
    return new JsonDocument()
        .put("folder", folder)
        .put("whole", check.differences(othersAllowed).isEmpty())
        .put("files", check.files().stream().map(VerifyCommand::document).toList())
        .put("sources", check.sources().stream().map(VerifyCommand::document).toList())
        .put("runs", check.runs().stream().map(VerifyCommand::document).toList());
  }

  private static JsonDocument document(CheckedFile file) {
    return new JsonDocument()
        .put("path", file.path())
        .put("result", file.result().name().toLowerCase(Locale.ROOT))
        .put("detail", file.detail());
  }

  private static JsonDocument document(RecordedRun run) {
    return new JsonDocument()
        .put("backend", run.backend())
        .put("mode", run.mode())
        .put("kvant", run.kvant())
        .put("java", run.java())
        .put("source", run.source() == null ? null : run.source().path())
        .put("spec", run.spec())
        .put(
            "files",
            run.files().stream()
                .map(
                    file ->
                        new JsonDocument()
                            .put("path", file.path())
                            .put("bytes", file.sum().bytes())
                            .put("sha256", file.sum().sha256())
                            .put("format", file.format())
                            .put("verification", file.verification()))
                .toList());
  }
}
