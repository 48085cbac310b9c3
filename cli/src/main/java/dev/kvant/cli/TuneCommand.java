package dev.kvant.cli;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.NonFiniteValues;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.Recipe;
import dev.kvant.api.VerificationException;
import dev.kvant.cli.output.Screens;
import dev.kvant.cli.output.Style;
import dev.kvant.report.JsonDocument;
import dev.kvant.report.ReportDocument;
import dev.kvant.report.ReportFiles;
import dev.kvant.report.SpecFile;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.config.ConfigDocument;
import dev.kvant.runtime.tuning.TuningBudget;
import dev.kvant.runtime.tuning.TuningRequest;
import dev.kvant.runtime.tuning.TuningRequest.Preference;
import dev.kvant.runtime.tuning.TuningResult;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Searches for the best configuration within a budget. */
@Command(
    name = TuneCommand.NAME,
    customSynopsis =
        "kvant tune MODEL --data PATH [--out DIR] [--min-cosine C | --max-drop D | --min-recall R]"
            + " [--max-size SIZE] [--min-speedup X] [--prefer WHAT] [--time TIME] [OPTIONS] [key=value ...]",
    description = {
      "Searches for the smallest, fastest or most accurate configuration within a budget, and"
          + " writes the artifact, its spec with what each choice brought, and all that was tried.",
      "Tries the recipes of the backends, then leaves sensitive modules native. A quarter of the"
          + " data is held out from the search and judges the result. Ctrl-C ends the search and"
          + " keeps the best so far."
    },
    exitCodeList = {
      Subcommand.EXIT_DONE,
      Subcommand.EXIT_FAILED,
      Subcommand.EXIT_WRONG_INPUT,
      "3:nothing is within the budget; the nearest spec was written",
      "4:the artifact is wrong beside its source, and is kept under another name",
      "130:interrupted; the best so far was written"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  kvant tune encoder.onnx --data sentences.txt tokenizer=tokenizer.json --min-cosine 0.99",
      "  kvant tune model.onnx --data photos --max-drop 0.005 --prefer speed --time 5m"
    })
final class TuneCommand extends Subcommand {

  static final String NAME = "tune";

  private static final String SECTION = "quantize.";

  private static final Pattern SIZE =
      Pattern.compile("(\\d{1,30}(?:\\.\\d{1,30})?)\\s*(B|kB|KB|MB|GB)?");

  private static final Pattern TIME = Pattern.compile("(\\d{1,9})\\s*(s|m|h)?");

  private static final BigDecimal LARGEST = BigDecimal.valueOf(Long.MAX_VALUE);

  private static final Duration LONGEST = Duration.ofDays(365);

  @Mixin private ModelArguments arguments = new ModelArguments();

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The folder for the artifact. Default: NAME-quantized.")
  private @Nullable Path out;

  @Option(
      names = "--min-cosine",
      paramLabel = "COSINE",
      description = "The lowest mean cosine similarity of outputs to those of the model, -1 to 1.")
  private @Nullable Double minCosine;

  @Option(
      names = "--max-drop",
      paramLabel = "DROP",
      description =
          "The largest loss: of top-1 where the data has labels, else of the mean cosine from 1.")
  private @Nullable Double maxDrop;

  @Option(
      names = "--min-recall",
      paramLabel = "SHARE",
      description =
          "For encoders: the lowest share of the model's first K texts that the artifact's first K"
              + " hold, 0 to 1, where each sample searches among the others.")
  private @Nullable Double minRecall;

  @Mixin private EmbeddingOptions embeddings = new EmbeddingOptions();

  @Option(
      names = "--max-size",
      paramLabel = "SIZE",
      description = "The largest size of the artifact, as in 25MB, 800kB or 25000000.")
  private @Nullable String maxSize;

  @Option(
      names = "--min-speedup",
      paramLabel = "FACTOR",
      description = "How many times as fast as the model the artifact is at least.")
  private @Nullable Double minSpeedup;

  @Option(
      names = "--prefer",
      paramLabel = "WHAT",
      description =
          "What is best within the budget: size, speed or accuracy. Default: size if accuracy is"
              + " limited, else accuracy.")
  private @Nullable String prefer;

  @Option(
      names = "--time",
      paramLabel = "TIME",
      description = "How long the search may take, as in 90s, 5m or 1h. Default: as it needs.")
  private @Nullable String time;

  @Option(
      names = "--samples",
      paramLabel = "N",
      defaultValue = "" + TuningRequest.DEFAULT_SAMPLES,
      description = "How many samples of the data are used at most. Default: ${DEFAULT-VALUE}.")
  private int samples;

  @Option(
      names = "--report",
      paramLabel = "PATH",
      description =
          "Write the report of the best artifact, with all that was tried: into a folder as"
              + " report.json and report.html, or into a file that ends in .json or .html.")
  private @Nullable Path report;

  private boolean isSpecWritten;

  TuneCommand(Screens screens, Installations installations) {
    super(screens, installations);
  }

  @Override
  public Integer call() {
    refuse(arguments.problem());
    refuse(embeddings.problem());
    Path path = arguments.data();
    if (path == null) {
      throw wrongUsage("give data with --data PATH: it calibrates, and judges what is tried");
    }
    refuse(
        arguments.words().stream()
            .filter(word -> word.startsWith(SECTION))
            .findFirst()
            .map(
                "'%s': tune chooses the keys of the spec; change the spec that it writes"
                    ::formatted));
    Path source = arguments.source();
    Path folder = arguments.folder(out);
    Optional<ReportFiles> reports = Optional.ofNullable(report).map(ReportFiles::at);
    reports.ifPresent(ReportFiles::check);
    // Before the long work: whether these may be written there.
    SpecFile specFile = SpecFile.beside(folder);
    TuningFile triedFile = TuningFile.beside(folder);
    TuningResult result;
    @Nullable JsonDocument done = null;
    try (Reporter reporter = new Reporter(err());
        Kvant kvant = open(reporter)) {
      EvaluationConfig read =
          kvant.evaluation(Objects.requireNonNull(path), null, arguments.settings());
      CalibrationConfig data =
          new CalibrationConfig(read.data(), read.batchSize(), null, NonFiniteValues.REFUSE);
      TuningRequest request =
          request(
              data,
              folder,
              found -> {
                // Before the artifact, so that a search is never lost.
                made(found, source, folder, specFile).ifPresent(MadeSpec::write);
                isSpecWritten = true;
                triedFile.write(new TuningTable(found).document());
              });
      try (QuantizableModel model = kvant.load(source)) {
        result = kvant.tune(model, request);
        if (result.saved() != null) {
          done = ReportDocument.of(model, result.saved(), null, null);
        }
      }
    }
    boolean wasInterrupted = Thread.interrupted();
    Optional<MadeSpec> made =
        made(result, source, folder, specFile)
            .map(each -> isSpecWritten ? each : new MadeSpec(each.text(), null));
    Optional<JsonDocument> spec = made.map(MadeSpec::document);
    TuningTable table = new TuningTable(result);
    if (done != null) {
      JsonDocument tried =
          done.put("spec", spec).put("trials", table.document().fields().get("trials"));
      reports.ifPresent(files -> files.write(tried));
    }
    print(
        table.document().put("spec", spec),
        () -> {
          table.print(out());
          made.ifPresent(
              each -> {
                out().line();
                each.print(out());
              });
        });
    RuntimeException failure = result.failure();
    if (failure != null) {
      if (isSpecWritten && !(failure instanceof VerificationException)) {
        err()
            .paragraph(
                "warning: ",
                Style.WARNING,
                "no artifact was written; 'kvant quantize -c %s' writes it from the spec that was found"
                    .formatted(specFile.path()));
      }
      throw failure;
    }
    return exitCode(result, wasInterrupted);
  }

  private int exitCode(TuningResult result, boolean wasInterrupted) {
    if (result.best() == null) {
      err()
          .paragraph(
              "nothing is within the budget: ",
              Style.ERROR,
              result.nearest() == null
                  ? result.trials().isEmpty() ? "no trial was completed" : "every trial failed"
                  : "the nearest is %s: %s; its spec was written, no artifact"
                      .formatted(result.nearest().name(), result.miss()));
    }
    if (wasInterrupted) {
      return ExitCode.INTERRUPTED;
    }
    return result.best() == null ? ExitCode.GATE_FAILED : ExitCode.DONE;
  }

  private static Optional<MadeSpec> made(
      TuningResult result, Path source, Path folder, SpecFile file) {
    Recipe recipe = result.recipe();
    if (recipe == null) {
      return Optional.empty();
    }
    Recipe placed =
        recipe.with(recipe.config().toBuilder().modelPath(source).resultsDir(folder).build());
    return Optional.of(new MadeSpec(SpecFile.markedAsTuned(ConfigDocument.write(placed)), file));
  }

  private TuningRequest request(
      CalibrationConfig data, Path folder, Consumer<TuningResult> onFound) {
    try {
      return TuningRequest.builder(arguments.request(data))
          .budget(
              new TuningBudget(
                  minCosine,
                  maxDrop,
                  minRecall,
                  maxSize == null ? null : bytes(maxSize),
                  minSpeedup))
          .retrieval(embeddings.isGiven() || minRecall != null ? embeddings.request() : null)
          .preference(preference())
          .time(time == null ? null : duration(time))
          .samples(samples)
          .output(folder)
          .onFound(onFound)
          .build();
    } catch (IllegalArgumentException e) {
      throw wrongUsage(String.valueOf(e.getMessage()));
    }
  }

  private @Nullable Preference preference() {
    if (prefer == null) {
      return null;
    }
    try {
      return Preference.valueOf(prefer.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw wrongUsage("--prefer must be size, speed or accuracy, not '%s'".formatted(prefer));
    }
  }

  private long bytes(String text) {
    Matcher matcher = SIZE.matcher(text);
    if (!matcher.matches()) {
      throw wrongUsage("--max-size must be a size as in 25MB or 800kB, not '%s'".formatted(text));
    }
    String unit = Objects.requireNonNullElse(matcher.group(2), "B");
    long factor =
        switch (unit) {
          case "kB", "KB" -> 1_000;
          case "MB" -> 1_000_000;
          case "GB" -> 1_000_000_000;
          default -> 1;
        };
    BigDecimal bytes = new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(factor));
    if (bytes.compareTo(LARGEST) > 0) {
      throw wrongUsage("--max-size must be at most %s bytes, not '%s'".formatted(LARGEST, text));
    }
    return bytes.longValue();
  }

  private Duration duration(String text) {
    Matcher matcher = TIME.matcher(text);
    if (!matcher.matches()) {
      throw wrongUsage("--time must be a time as in 90s, 5m or 1h, not '%s'".formatted(text));
    }
    long count = Long.parseLong(matcher.group(1));
    Duration duration =
        switch (Objects.requireNonNullElse(matcher.group(2), "s")) {
          case "m" -> Duration.ofMinutes(count);
          case "h" -> Duration.ofHours(count);
          default -> Duration.ofSeconds(count);
        };
    if (duration.compareTo(LONGEST) > 0) {
      throw wrongUsage(
          "--time must be at most %d days, not '%s'".formatted(LONGEST.toDays(), text));
    }
    return duration;
  }
}
