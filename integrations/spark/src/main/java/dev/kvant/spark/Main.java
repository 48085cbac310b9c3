package dev.kvant.spark;

import dev.kvant.api.DataException;
import dev.kvant.api.Experimental;
import dev.kvant.api.KvantException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * The main class for {@code spark-submit}; {@code --help} describes its commands.
 *
 * @since 0.1.0
 */
@Experimental
@Command(
    name = "spark-submit --class dev.kvant.spark.Main kvant-spark.jar",
    synopsisSubcommandLabel = "COMMAND",
    description = "Calibrates, evaluates and quantizes models in the executors of Apache Spark.",
    footer = {
      "",
      "Paths are those of Hadoop: without a scheme they belong to the default file system.",
      "Options of Spark, such as --master, come before the jar."
    })
public final class Main {

  private Main() {}

  /**
   * Runs a command. Spark ends the application with an error if this throws.
   *
   * @param arguments a command with its options
   * @throws KvantException if the command fails
   */
  public static void main(String[] arguments) {
    CommandLine line = new CommandLine(new Main());
    line.addSubcommand("calibrate", new Calibrate());
    line.addSubcommand("evaluate", new Evaluate());
    line.addSubcommand("quantize", new Quantize());
    addHelp(line);
    line.getSubcommands().values().forEach(Main::addHelp);
    if (arguments.length == 0) {
      line.usage(System.out);
      return;
    }
    CommandLine.ParseResult parsed;
    try {
      parsed = line.parseArgs(arguments);
    } catch (CommandLine.ParameterException e) {
      throw new KvantException(e.getMessage() + "; see --help", e);
    }
    if (CommandLine.executeHelpRequest(parsed) == null && parsed.hasSubcommand()) {
      boolean isFirst = SparkSession.getDefaultSession().isEmpty();
      ((Runnable) parsed.subcommand().commandSpec().userObject()).run();
      if (isFirst) {
        session().stop();
      }
    }
  }

  private static void addHelp(CommandLine command) {
    command
        .getCommandSpec()
        .addOption(
            OptionSpec.builder("--help").usageHelp(true).description("Shows this help.").build());
  }

  private static SparkSession session() {
    return SparkSession.builder().appName("kvant").getOrCreate();
  }

  private static HadoopFiles files(SparkSession spark) {
    return new HadoopFiles(spark.sparkContext().hadoopConfiguration());
  }

  /** A model, a spec and a table of samples. */
  private abstract static class OnData implements Runnable {

    @Option(
        names = "--model",
        paramLabel = "PATH",
        required = true,
        description = "The model file or folder.")
    String model = "";

    @Option(
        names = {"-c", "--spec"},
        paramLabel = "PATH",
        required = true,
        description = "The spec, a YAML file.")
    private String spec = "";

    @Option(
        names = "--data",
        paramLabel = "PATH",
        required = true,
        description = "The data, in a format that Spark reads.")
    private String data = "";

    @Option(
        names = "--format",
        paramLabel = "NAME",
        defaultValue = "parquet",
        description =
            "Spark's name of the format: parquet, json, text, binaryFile; ${DEFAULT-VALUE}.")
    private String format = "";

    @Option(
        names = "--select",
        paramLabel = "EXPRESSION",
        description =
            "A column that the model reads, as in SQL: 'pixels AS input'. Repeat it for each; all"
                + " columns.")
    private List<String> columns = new ArrayList<>();

    @Parameters(paramLabel = "key=value", description = "Values in place of those of the spec.")
    private List<String> overrides = new ArrayList<>();

    Dataset<Row> rows(SparkSession spark) {
      Dataset<Row> rows =
          spark.read().format(format).option("recursiveFileLookup", true).load(data);
      if (!columns.isEmpty()) {
        return rows.select(columns.stream().map(functions::expr).toArray(Column[]::new));
      }
      return format.equals("binaryFile") ? rows.select("content") : rows;
    }

    SparkSpec spec(SparkSession spark) {
      return SparkSpec.of(files(spark).text(spec)).withOverrides(overrides);
    }
  }

  /** Observes a model. */
  @Command(
      name = "calibrate",
      description = {
        "Observes a model on calibration data, and writes the statistics.",
        "'kvant quantize --statistics' uses them instead of data."
      })
  private static final class Calibrate extends OnData {

    @Option(
        names = "--statistics",
        paramLabel = "PATH",
        required = true,
        description = "The file to write.")
    private String statistics = "";

    @Override
    public void run() {
      SparkSession spark = session();
      SparkCalibration.observe(rows(spark), model, spec(spark))
          .save(statistics, spark.sparkContext().hadoopConfiguration());
    }
  }

  /** Evaluates a model. */
  @Command(
      name = "evaluate",
      description = {
        "Evaluates a model, and a reference beside it, and writes the figures as JSON."
      })
  private static final class Evaluate extends OnData {

    @Option(
        names = "--reference",
        paramLabel = "PATH",
        description = "The model that it should be like.")
    private @Nullable String reference;

    @Option(
        names = "--figures",
        paramLabel = "PATH",
        required = true,
        description = "The file to write.")
    private String figures = "";

    @Override
    public void run() {
      SparkSession spark = session();
      SparkEvaluation evaluation = SparkEvaluation.of(rows(spark), model, reference, spec(spark));
      files(spark).write(figures, evaluation.json().getBytes(StandardCharsets.UTF_8));
    }
  }

  /** Quantizes many models. */
  @Command(
      name = "quantize",
      description = {
        "Quantizes the models of a table, each in a task of its own, and writes a table of"
            + " reports.",
        "The table has the columns model, spec and output, and calibration and statistics if"
            + " needed.",
        "The spec is the text of a YAML document. A row whose output exists is left alone."
      })
  private static final class Quantize implements Runnable {

    @Option(
        names = "--models",
        paramLabel = "PATH",
        required = true,
        description = "The table of models, in a format that Spark reads.")
    private String models = "";

    @Option(
        names = "--format",
        paramLabel = "NAME",
        defaultValue = "json",
        description = "Spark's name of the format of both tables; ${DEFAULT-VALUE}.")
    private String format = "";

    @Option(
        names = "--reports",
        paramLabel = "PATH",
        required = true,
        description = "The folder for the table of reports; it must not exist.")
    private String reports = "";

    @Override
    public void run() {
      SparkSession spark = session();
      if (files(spark).exists(reports)) {
        throw new DataException(
            "%s exists; name another folder for the table of reports".formatted(reports));
      }
      Dataset<Row> outcomes = SparkFleet.quantize(spark.read().format(format).load(models));
      outcomes.coalesce(1).write().format(format).save(reports);
      long failed = outcomes.filter("status = 'failed'").count();
      if (failed > 0) {
        throw new KvantException(
            "%d of %d models failed; %s says why".formatted(failed, outcomes.count(), reports));
      }
    }
  }
}
