package dev.kvant.cli;

import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.QuantizationMode;
import dev.kvant.cli.output.Screens;
import dev.kvant.report.JsonDocument;
import dev.kvant.report.SpecFile;
import dev.kvant.runtime.Kvant;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Writes a spec for a model, with a comment on each line. */
@Command(
    name = InitCommand.NAME,
    description = {
      "Writes the spec that 'quantize' would use for a model, with a comment on each line.",
      "Prints it without --out, or with --out -."
    },
    customSynopsis =
        "kvant init MODEL [--out FILE] [--force] [--data PATH] [OPTIONS] [key=value ...]",
    footer = {
      "  kvant init model.onnx --out spec.yaml",
      "  kvant init encoder.onnx --data sentences.txt tokenizer=tokenizer.json --out spec.yaml"
    })
final class InitCommand extends Subcommand {

  static final String NAME = "init";

  private static final Path STANDARD_OUTPUT = Path.of("-");

  @Option(
      names = {"--out"},
      paramLabel = "FILE",
      description = "The file to write; '-' or nothing prints the spec.")
  private @Nullable Path out;

  @Option(names = "--force", description = "Replace the file if it exists.")
  private boolean force;

  @Mixin private ModelArguments arguments = new ModelArguments();

  InitCommand(Screens screens, Installations installations) {
    super(screens, installations);
  }

  @Override
  public Integer call() {
    refuse(arguments.problem());
    Optional<SpecFile> file =
        out == null || out.equals(STANDARD_OUTPUT)
            ? Optional.empty()
            : Optional.of(SpecFile.at(out));
    if (file.isPresent() && file.get().exists() && !force) {
      throw wrongUsage("%s exists; --force replaces it".formatted(out));
    }
    String text = text();
    file.ifPresent(each -> each.write(text));
    print(
        () -> new JsonDocument().put("path", file.map(SpecFile::path)).put("text", text),
        () -> {
          if (file.isEmpty()) {
            text.lines().forEach(out()::line);
          } else {
            out().line("%s is written; use it with: kvant quantize -c %s".formatted(out, out));
          }
        });
    return ExitCode.DONE;
  }

  private String text() {
    try (Reporter reporter = new Reporter(err());
        Kvant kvant = open(reporter)) {
      UsedSpec spec = arguments.spec(kvant, null);
      try (ModelQuantizer quantizer = kvant.quantizer(spec.document())) {
        reporter.done();
        boolean lacksData =
            QuantizationMode.STATIC_PTQ.equals(quantizer.config().mode())
                && quantizer.config().calibration() == null;
        return spec.made(quantizer.config()).orElseThrow().text()
            + (lacksData
                ? "  calibration:\n    path: ???  # required: data on which activations are observed\n"
                : "");
      }
    }
  }
}
