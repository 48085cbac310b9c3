package dev.kvant.cli;

import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationReport;
import dev.kvant.cli.output.Screens;
import dev.kvant.report.JsonDocument;
import dev.kvant.report.ReportDocument;
import dev.kvant.report.ReportFiles;
import dev.kvant.runtime.Kvant;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes a page of a report that was written earlier. */
@Command(
    name = ReportCommand.NAME,
    description = {
      "Writes the page for people of a report.json, or of the record inside of an artifact.",
      "A record has neither the evaluation nor the size of the source."
    },
    footer = {
      "  kvant report results/report.json --html results/report.html",
      "  kvant report results/quantized_model.onnx --html report.html"
    })
final class ReportCommand extends Subcommand {

  static final String NAME = "report";

  @Parameters(
      paramLabel = "REPORT",
      description = "A report.json that 'quantize --report' wrote, or an artifact of Kvant.")
  @SuppressWarnings("NullAway.Init")
  private Path path;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      required = true,
      description = "The page to write, a file that ends in .html.")
  @SuppressWarnings("NullAway.Init")
  private Path html;

  ReportCommand(Screens screens, Installations installations) {
    super(screens, installations);
  }

  @Override
  public Integer call() {
    if (!html.toString().toLowerCase(Locale.ROOT).endsWith(".html") || Files.isDirectory(html)) {
      throw wrongUsage("--html must be a file that ends in .html, not '%s'".formatted(html));
    }
    ReportFiles files = ReportFiles.at(html);
    files.check();
    files.write(ReportDocument.isReport(path) ? ReportDocument.read(path) : ofArtifact());
    print(
        new JsonDocument().put("source", path).put("html", html),
        () -> out().line("The report is in %s.".formatted(html)));
    return ExitCode.DONE;
  }

  private JsonDocument ofArtifact() {
    try (Kvant kvant = open(QuantizationListener.NONE);
        QuantizableModel artifact = kvant.load(path)) {
      QuantizationReport report =
          kvant
              .report(artifact)
              .orElseThrow(
                  () ->
                      new KvantException(
                          "%s is neither a report nor an artifact of Kvant: it has no record"
                              .formatted(path)));
      return ReportDocument.ofRecord(artifact, report, kvant.verification(artifact));
    }
  }
}
