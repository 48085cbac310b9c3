package dev.kvant.spark;

import dev.kvant.api.DataException;
import dev.kvant.api.Experimental;
import dev.kvant.api.KvantException;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.api.SavedModel;
import dev.kvant.report.BeforeAndAfter;
import dev.kvant.report.EvaluationResult;
import dev.kvant.report.ReportDocument;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.config.ConfigDocument;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * Quantizes many models, each in a task of its own.
 *
 * <p>A task writes into a folder on the disk of its executor, and copies that into a folder of its
 * attempt. The driver gives the folder of the attempt that succeeded its final name. Tasks that
 * Spark runs again or twice thus leave one set of artifacts, and nobody sees a part of a set.
 *
 * @since 0.1.0
 */
@Experimental
public final class SparkFleet {

  /** The column of the model: a path or URI of its file or folder. */
  public static final String MODEL = "model";

  /** The column of the spec: the text of a YAML document. */
  public static final String SPEC = "spec";

  /** The column of the folder for the artifacts: a path or URI. */
  public static final String OUTPUT = "output";

  /** The column of the calibration data, which may be left out: a path or URI. */
  public static final String CALIBRATION = "calibration";

  /** The column of a file of statistics, which may be left out: a path or URI. */
  public static final String STATISTICS = "statistics";

  /**
   * The columns of the result: those of model and output; {@code status}, which is {@code done},
   * {@code failed} or {@code exists}; the error of a failure; seconds; bytes of the model and of
   * the artifacts; and the report as JSON, in the format of {@code kvant quantize --report}.
   */
  public static final StructType RESULT =
      new StructType()
          .add(MODEL, DataTypes.StringType, false)
          .add(OUTPUT, DataTypes.StringType, false)
          .add("status", DataTypes.StringType, false)
          .add("error", DataTypes.StringType, true)
          .add("seconds", DataTypes.DoubleType, true)
          .add("model_bytes", DataTypes.LongType, true)
          .add("artifact_bytes", DataTypes.LongType, true)
          .add("report", DataTypes.StringType, true);

  private static final String DONE = "done";
  private static final String FAILED = "failed";
  private static final String EXISTS = "exists";

  private SparkFleet() {}

  /** A row of the table. */
  private record Job(
      String model,
      String spec,
      String output,
      @Nullable String calibration,
      @Nullable String statistics)
      implements Serializable {}

  /** What came of a row. */
  private record Outcome(
      String status,
      @Nullable String error,
      double seconds,
      @Nullable Long modelBytes,
      @Nullable Long artifactBytes,
      @Nullable String report,
      @Nullable String attempt)
      implements Serializable {

    static Outcome failed(String error, double seconds, @Nullable String report) {
      return new Outcome(FAILED, error, seconds, null, null, report, null);
    }
  }

  /**
   * Quantizes the models of a table. A model that fails does not stop the others. A row whose
   * output folder exists is left alone, so that a job that was interrupted can be started again.
   *
   * @param models a row for each model, with the columns {@link #MODEL}, {@link #SPEC} and {@link
   *     #OUTPUT}, and {@link #CALIBRATION} and {@link #STATISTICS} if needed. Paths inside of a
   *     spec, such as that of evaluation data, must exist on each machine
   * @return a row for each model in the same order, with the columns of {@link #RESULT}
   * @throws DataException if a column is missing, a value is null, or two rows have one output
   * @throws KvantException if the results cannot be written
   */
  public static Dataset<Row> quantize(Dataset<Row> models) {
    SparkSession spark = models.sparkSession();
    var files = new HadoopFiles(spark.sparkContext().hadoopConfiguration());
    List<Job> jobs = jobs(models);
    List<Integer> missing =
        IntStream.range(0, jobs.size())
            .filter(job -> !files.exists(jobs.get(job).output()))
            .boxed()
            .toList();
    String attempts = "_kvant-" + UUID.randomUUID();
    List<Row> rows = new ArrayList<>();
    jobs.forEach(
        job ->
            rows.add(
                RowFactory.create(
                    job.model(), job.output(), EXISTS, null, null, null, null, null)));
    try {
      List<Outcome> outcomes =
          missing.isEmpty()
              ? List.of()
              : SparkJobs.run(
                  () ->
                      JavaSparkContext.fromSparkContext(spark.sparkContext())
                          .parallelize(missing.stream().map(jobs::get).toList(), missing.size())
                          .map(job -> attempt(job, files, attempts))
                          .collect());
      for (int i = 0; i < outcomes.size(); i++) {
        Job job = jobs.get(missing.get(i));
        Outcome outcome = outcomes.get(i);
        if (outcome.attempt() != null) {
          files.move(outcome.attempt(), job.output());
        }
        rows.set(missing.get(i), row(job, outcome));
      }
    } finally {
      Set<String> folders = new TreeSet<>();
      missing.forEach(job -> folders.add(sibling(jobs.get(job).output(), attempts)));
      folders.forEach(files::remove);
    }
    return spark.createDataFrame(rows, RESULT);
  }

  private static Row row(Job job, Outcome outcome) {
    return RowFactory.create(
        job.model(),
        job.output(),
        outcome.status(),
        outcome.error(),
        outcome.seconds(),
        outcome.modelBytes(),
        outcome.artifactBytes(),
        outcome.report());
  }

  private static List<Job> jobs(Dataset<Row> models) {
    List<String> columns = Arrays.asList(models.columns());
    for (String column : List.of(MODEL, SPEC, OUTPUT)) {
      if (!columns.contains(column)) {
        throw new DataException(
            "the table of models has no column '%s', only %s"
                .formatted(column, String.join(", ", columns)));
      }
    }
    List<Job> jobs = new ArrayList<>();
    Set<String> outputs = new HashSet<>();
    for (Row row : models.collectAsList()) {
      Job job =
          new Job(
              required(row, MODEL),
              required(row, SPEC),
              required(row, OUTPUT),
              columns.contains(CALIBRATION) ? row.getAs(CALIBRATION) : null,
              columns.contains(STATISTICS) ? row.getAs(STATISTICS) : null);
      if (!outputs.add(job.output())) {
        throw new DataException(
            "two rows of the table of models have the output %s".formatted(job.output()));
      }
      jobs.add(job);
    }
    return jobs;
  }

  private static String required(Row row, String column) {
    String value = row.getAs(column);
    if (value == null) {
      throw new DataException("the table of models has a null in column '%s'".formatted(column));
    }
    return value;
  }

  private static String sibling(String location, String name) {
    return new org.apache.hadoop.fs.Path(new org.apache.hadoop.fs.Path(location).getParent(), name)
        .toString();
  }

  /**
   * Fails with an outcome where Kvant refuses a model, and as a task where it may help to retry.
   */
  private static Outcome attempt(Job job, HadoopFiles files, String attempts) throws IOException {
    long start = System.nanoTime();
    try {
      return quantized(job, files, attempts, start);
    } catch (QuantizationCancelledException e) {
      throw e;
    } catch (KvantException e) {
      return Outcome.failed(String.valueOf(e.getMessage()), seconds(start), null);
    }
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  private static Outcome quantized(Job job, HadoopFiles files, String attempts, long start)
      throws IOException {
    Path source = files.local(job.model());
    try (TaskFolder folder = TaskFolder.create();
        Kvant kvant = Executors.kvant();
        ModelQuantizer quantizer = kvant.quantizer(document(job, files, source));
        QuantizableModel model = kvant.load(source)) {
      Path artifacts = folder.path().resolve("artifacts");
      List<String> warnings = new ArrayList<>();
      Optional<BeforeAndAfter> comparison =
          BeforeAndAfter.prepare(kvant, quantizer.config(), model, warnings::add);
      SavedModel saved = saved(kvant, quantizer, model, job, files, artifacts);
      @Nullable EvaluationResult evaluation =
          comparison.map(each -> each.evaluate(saved)).orElse(null);
      String report = ReportDocument.of(model, saved, evaluation, null).json();
      List<String> failed =
          evaluation == null || quantizer.config().evaluation() == null
              ? List.of()
              : evaluation.failed(quantizer.config().evaluation().gates());
      if (!failed.isEmpty()) {
        return Outcome.failed(
            "the artifact does not pass its gates: " + String.join("; ", failed),
            seconds(start),
            report);
      }
      String attempt = sibling(job.output(), attempts) + "/" + TaskContext.get().taskAttemptId();
      files.store(artifacts, attempt);
      return new Outcome(
          DONE,
          null,
          seconds(start),
          bytes(model.files()),
          bytes(List.of(artifacts)),
          report,
          attempt);
    }
  }

  private static ConfigDocument document(Job job, HadoopFiles files, Path source) {
    ConfigDocument document =
        ConfigDocument.parse(job.spec()).withoutResultsDir().withModelPath(source);
    return job.calibration() == null
        ? document
        : document.withCalibrationData(files.local(job.calibration()));
  }

  private static SavedModel saved(
      Kvant kvant,
      ModelQuantizer quantizer,
      QuantizableModel model,
      Job job,
      HadoopFiles files,
      Path artifacts) {
    if (job.statistics() == null) {
      return kvant.quantize(quantizer, model, artifacts);
    }
    PreparedModel prepared = quantizer.prepare(model);
    quantizer.calibrate(prepared, List.of(files.local(job.statistics())));
    return quantizer.saveModel(quantizer.quantize(prepared), artifacts);
  }

  private static long bytes(List<Path> filesOrFolders) throws IOException {
    long bytes = 0;
    for (Path each : filesOrFolders) {
      try (Stream<Path> inside = Files.walk(each)) {
        for (Path file : inside.filter(Files::isRegularFile).toList()) {
          bytes += Files.size(file);
        }
      }
    }
    return bytes;
  }
}
