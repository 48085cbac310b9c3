package dev.kvant.spark;

import dev.kvant.api.DataException;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.Experimental;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.LabelKind;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.report.JsonDocument;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.evaluation.Evaluation;
import dev.kvant.runtime.evaluation.ModelScore;
import dev.kvant.runtime.evaluation.OutputSimilarity;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * Evaluates a model, and a reference beside it, on the rows of a DataFrame: each task evaluates one
 * partition as {@code kvant evaluate} does with a file, and the figures that can be added are
 * added.
 *
 * <p>Counts equal those of one process that runs the same batches, and so does the minimum of the
 * cosines; their mean differs from it in rounding. Other figures, such as the mean average
 * precision or the speed, need all samples in one process.
 *
 * @param samples how many samples there were
 * @param notFinite how many of them have a NaN or an infinity in the data itself
 * @param model the figures of the model
 * @param reference the figures of the reference on the same data, or null if there was none
 * @param cosineMean the mean of the cosines between the outputs of both for a sample, -1 to 1, or
 *     null without a reference
 * @param cosineMin the minimum of these cosines, or null without a reference
 * @since 0.1.0
 */
@Experimental
public record SparkEvaluation(
    long samples,
    long notFinite,
    Score model,
    @Nullable Score reference,
    @Nullable Double cosineMean,
    @Nullable Double cosineMin)
    implements Serializable {

  /**
   * The figures of one model.
   *
   * @param correct the number of samples that it classified as labelled, or null without labels
   * @param notFinite the number of samples whose outputs contain a NaN or an infinity
   * @since 0.1.0
   */
  @Experimental
  public record Score(@Nullable Long correct, long notFinite) implements Serializable {

    private static Score of(ModelScore score) {
      return new Score(score.correct(), score.notFinite());
    }

    private Score plus(Score other) {
      return new Score(
          correct == null || other.correct == null ? null : correct + other.correct,
          notFinite + other.notFinite);
    }
  }

  /** Checks that there is a model. */
  public SparkEvaluation {
    Objects.requireNonNull(model, "model");
  }

  /**
   * Evaluates on all rows.
   *
   * @param data columns as for {@link SparkCalibration#observe}. A column {@code label} of integers
   *     contains the correct classes, and for texts the column that the spec names
   * @param model a path or URI of the model, usually of an artifact
   * @param reference a path or URI of the model that it should be like, or null
   * @param spec the spec. Its section {@code evaluation} may have all keys but {@code path}; {@code
   *     labels} must be {@code classes}, and its gates are not used
   * @return the figures over all partitions
   * @throws InvalidConfigurationException with all that is wrong with the spec, before any task
   * @throws DataException if the columns fit no input, before any task, or there are no rows
   * @throws dev.kvant.api.KvantException if a task failed, with its reason
   */
  public static SparkEvaluation of(
      Dataset<Row> data, String model, @Nullable String reference, SparkSpec spec) {
    Objects.requireNonNull(model, "model");
    var used = new TreeMap<String, String>();
    EvaluationConfig config;
    try (Kvant kvant = Kvant.create();
        ModelQuantizer quantizer =
            kvant.quantizer(
                spec.document(used).withoutResultsDir().withEvaluationData(Path.of("rows.npz")))) {
      config = Objects.requireNonNull(quantizer.config().evaluation());
    }
    if (config.labels() != LabelKind.CLASSES) {
      throw new InvalidConfigurationException(
          "quantize.evaluation.labels",
          "must be classes: figures for %s need all samples in one process"
              .formatted(config.labels().label()));
    }
    StructType schema = data.schema();
    RowFormat format = RowFormat.of(schema, config.data());
    if (format == RowFormat.IMAGES && Arrays.asList(data.columns()).contains("label")) {
      throw new DataException(
          "labels of images are not read from a DataFrame; leave the column 'label' out to compare"
              + " with a reference, or evaluate a folder for each class in one process");
    }
    var task =
        new Task(
            model,
            reference,
            spec.withVariables(used),
            new HadoopFiles(data.sparkSession().sparkContext().hadoopConfiguration()),
            schema,
            format);
    List<SparkEvaluation> parts =
        SparkJobs.run(() -> data.toJavaRDD().mapPartitions(task::run).collect());
    return parts.stream()
        .reduce(SparkEvaluation::plus)
        .orElseThrow(() -> new DataException("the DataFrame has no rows"));
  }

  /** The figures for programs, as a JSON object. */
  public String json() {
    return new JsonDocument()
        .put("samples", samples)
        .put("not_finite", notFinite)
        .put("model", document(model))
        .put("reference", reference == null ? null : document(reference))
        .put("cosine_mean", cosineMean)
        .put("cosine_min", cosineMin)
        .json();
  }

  private JsonDocument document(Score score) {
    Long correct = score.correct();
    return new JsonDocument()
        .put("correct", correct)
        .put("top1", correct == null ? null : (double) correct / samples)
        .put("not_finite", score.notFinite());
  }

  private SparkEvaluation plus(SparkEvaluation other) {
    Score theirs = other.reference;
    Double otherMean = other.cosineMean;
    Double otherMin = other.cosineMin;
    long sum = samples + other.samples;
    return new SparkEvaluation(
        sum,
        notFinite + other.notFinite,
        model.plus(other.model),
        reference == null || theirs == null ? null : reference.plus(theirs),
        cosineMean == null || otherMean == null
            ? null
            : (Double) ((cosineMean * samples + otherMean * other.samples) / sum),
        cosineMin == null || otherMin == null ? null : (Double) Math.min(cosineMin, otherMin));
  }

  /** What each task does, sent to executors. */
  private record Task(
      String model,
      @Nullable String reference,
      SparkSpec spec,
      HadoopFiles files,
      StructType schema,
      RowFormat format)
      implements Serializable {

    Iterator<SparkEvaluation> run(Iterator<Row> rows) throws IOException {
      if (!rows.hasNext()) {
        return Collections.emptyIterator();
      }
      Path evaluated = files.local(model);
      Path other = reference == null ? null : files.local(reference);
      try (TaskFolder folder = TaskFolder.create();
          Kvant kvant = Executors.kvant();
          ModelQuantizer quantizer =
              kvant.quantizer(
                  spec.document()
                      .withoutResultsDir()
                      .withEvaluationData(format.write(rows, schema, files, folder.path())))) {
        ModelQuantizationConfig config = quantizer.config();
        Evaluation evaluation =
            kvant.evaluate(
                evaluated, other, Objects.requireNonNull(config.evaluation()), config.device());
        ModelScore compared = evaluation.reference();
        OutputSimilarity similarity = evaluation.similarity();
        return List.of(
                new SparkEvaluation(
                    evaluation.samples(),
                    evaluation.notFinite(),
                    Score.of(evaluation.model()),
                    compared == null ? null : Score.of(compared),
                    similarity == null ? null : (Double) similarity.cosineMean(),
                    similarity == null ? null : (Double) similarity.cosineMin()))
            .iterator();
      }
    }
  }
}
