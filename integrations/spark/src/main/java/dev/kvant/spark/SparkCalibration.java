package dev.kvant.spark;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.DataException;
import dev.kvant.api.Experimental;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.KvantException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.runtime.Kvant;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.StreamSupport;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import scala.Tuple2;

/**
 * Calibrates a model on the rows of a DataFrame: each task observes the model on the rows of one
 * partition, as {@code kvant calibrate} does with a file, and the statistics are merged.
 *
 * <p>Ranges and histograms equal those of one process bit for bit, if that process runs the same
 * batches. A batch never spans two partitions, so a partition whose number of rows is not a
 * multiple of the batch size ends with a smaller batch. Sums of products, which SmoothQuant and
 * GPTQ need, are added in the order of the partitions; they differ from those of one process in
 * rounding, and are the same in each run.
 *
 * @since 0.1.0
 */
@Experimental
public final class SparkCalibration {

  private SparkCalibration() {}

  /**
   * Observes a model on all rows.
   *
   * @param data columns of numbers and lists of numbers are the inputs of these names; a column of
   *     texts is read by the tokenizer of the spec; a column of bytes contains image files. A
   *     column {@code label} is not used. Other columns are an error: select those that are meant
   * @param model a path or URI of the model file or folder. A path of the local file system must
   *     exist on each machine; other files are copied once for each executor
   * @param spec the spec. Its section {@code calibration} may have all keys but {@code path} and
   *     {@code max_batches}; a path to a tokenizer must exist on each machine
   * @return the merged statistics
   * @throws InvalidConfigurationException with all that is wrong with the spec, before any task
   * @throws dev.kvant.api.DataException if the columns fit no input, before any task
   * @throws KvantException if a task failed, with its reason
   */
  public static SparkStatistics observe(Dataset<Row> data, String model, SparkSpec spec) {
    Objects.requireNonNull(model, "model");
    var task = task(data, model, spec);
    List<Tuple2<Integer, byte[]>> groups =
        new ArrayList<>(SparkJobs.run(() -> observed(data, task)));
    if (groups.isEmpty()) {
      throw new DataException("the DataFrame has no rows");
    }
    return new SparkStatistics(merged(groups));
  }

  /**
   * Merges within executors, so that the driver gets few statistics however many tasks there are.
   */
  private static List<Tuple2<Integer, byte[]>> observed(Dataset<Row> data, Task task) {
    JavaPairRDD<Integer, byte[]> parts =
        data.toJavaRDD().mapPartitionsWithIndex(task::run, true).mapToPair(part -> part);
    int width = (int) Math.ceil(Math.sqrt(Math.max(1, parts.getNumPartitions())));
    return parts
        .mapToPair(part -> new Tuple2<>(part._1() / width, part))
        .groupByKey(width)
        .mapValues(SparkCalibration::merged)
        .collect();
  }

  private static Task task(Dataset<Row> data, String model, SparkSpec spec) {
    var used = new TreeMap<String, String>();
    ModelQuantizationConfig config;
    try (Kvant kvant = Kvant.create();
        ModelQuantizer quantizer =
            kvant.quantizer(
                spec.document(used)
                    .withoutResultsDir()
                    .withModelPath(Path.of(model))
                    .withCalibrationData(Path.of("rows.npz")))) {
      config = quantizer.config();
    }
    CalibrationConfig calibration = Objects.requireNonNull(config.calibration());
    if (calibration.maxBatches() != null) {
      throw new InvalidConfigurationException(
          "quantize.calibration.max_batches",
          "counts the batches of one process; leave it out, and limit the DataFrame");
    }
    if (config.backendKwargs().containsKey("calibration_cache")) {
      throw new InvalidConfigurationException(
          "quantize.backend_kwargs.calibration_cache",
          "is a file of one process; leave it out, and save the statistics");
    }
    StructType schema = data.schema();
    return new Task(
        model,
        spec.withVariables(used),
        new HadoopFiles(data.sparkSession().sparkContext().hadoopConfiguration()),
        schema,
        RowFormat.of(schema, calibration.data()));
  }

  /** What each task does, sent to executors. */
  private record Task(
      String model, SparkSpec spec, HadoopFiles files, StructType schema, RowFormat format)
      implements Serializable {

    Iterator<Tuple2<Integer, byte[]>> run(int index, Iterator<Row> rows) throws IOException {
      if (!rows.hasNext()) {
        return Collections.emptyIterator();
      }
      Path source = files.local(model);
      try (TaskFolder folder = TaskFolder.create()) {
        Path data = format.write(rows, schema, files, folder.path());
        Path statistics = folder.path().resolve("statistics");
        try (Kvant kvant = Executors.kvant();
            ModelQuantizer quantizer =
                kvant.quantizer(
                    spec.document()
                        .withoutResultsDir()
                        .withModelPath(source)
                        .withCalibrationData(data));
            QuantizableModel opened = kvant.load(source)) {
          PreparedModel prepared = quantizer.prepare(opened);
          CalibrationConfig calibration = Objects.requireNonNull(quantizer.config().calibration());
          quantizer.calibrate(prepared, kvant.calibrationData(calibration, opened));
          quantizer.saveStatistics(prepared, statistics);
        }
        return List.of(new Tuple2<>(index, Files.readAllBytes(statistics))).iterator();
      }
    }
  }

  /** Merges statistics in the order of their numbers. */
  private static byte[] merged(Iterable<Tuple2<Integer, byte[]>> parts) {
    List<Tuple2<Integer, byte[]>> sorted =
        StreamSupport.stream(parts.spliterator(), false)
            .sorted(Comparator.comparing(Tuple2::_1))
            .toList();
    if (sorted.size() == 1) {
      return sorted.get(0)._2();
    }
    try (TaskFolder folder = TaskFolder.create()) {
      List<Path> files = new ArrayList<>();
      for (Tuple2<Integer, byte[]> part : sorted) {
        Path file = folder.path().resolve("partition-%d.statistics".formatted(part._1()));
        files.add(Files.write(file, part._2()));
      }
      Path sum = folder.path().resolve("merged.statistics");
      Kvant.mergeStatistics(files, sum);
      return Files.readAllBytes(sum);
    } catch (IOException e) {
      throw new KvantException("statistics cannot be merged: " + e, e);
    }
  }
}
