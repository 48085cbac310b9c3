package dev.kvant.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.Success$;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SparkClusterIT {

  private static SparkSession spark;

  @TempDir private Path folder;

  @BeforeAll
  static void start() throws Exception {
    spark = Cluster.start();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  /** Kills the process of the first executor that gets a task. */
  private static final class Killing extends SparkListener {

    private final Map<String, ProcessHandle> executors;
    private final AtomicBoolean isDone = new AtomicBoolean();
    private final AtomicInteger failed = new AtomicInteger();

    Killing(Map<String, ProcessHandle> executors) {
      this.executors = executors;
    }

    @Override
    public void onTaskStart(SparkListenerTaskStart start) {
      if (isDone.compareAndSet(false, true)) {
        Objects.requireNonNull(executors.get(start.taskInfo().executorId())).destroyForcibly();
      }
    }

    @Override
    public void onTaskEnd(SparkListenerTaskEnd end) {
      if (!end.reason().equals(Success$.MODULE$)) {
        failed.incrementAndGet();
      }
    }
  }

  @Test
  void statistics_are_equal_although_an_executor_was_killed() throws Exception {
    Dataset<Row> scans = Digits.scans(spark, 8);
    var killing = new Killing(Cluster.executors(spark));
    spark.sparkContext().addSparkListener(killing);

    SparkStatistics merged =
        SparkCalibration.observe(scans, Digits.MODEL.toString(), SparkSpec.of(Digits.SPEC));

    spark.sparkContext().listenerBus().waitUntilEmpty(60_000);
    spark.sparkContext().removeSparkListener(killing);
    assertThat(killing.failed).hasPositiveValue();
    byte[] whole = Digits.calibrated(Digits.SPEC, Digits.MODEL, Digits.SCANS, folder);
    assertThat(Digits.observed(merged.toBytes())).isEqualTo(Digits.observed(whole));
  }

  @Test
  void a_fleet_writes_each_artifact_once_although_an_executor_was_killed() throws Exception {
    List<Row> table =
        IntStream.range(0, 4)
            .mapToObj(
                number ->
                    RowFactory.create(
                        Digits.MODEL.toString(),
                        "{backend: onnx, mode: dynamic_ptq, default_layer_dtype: int8,"
                            + " default_activation_dtype: int8}",
                        folder.resolve("model-" + number).toString()))
            .toList();
    var killing = new Killing(Cluster.executors(spark));
    spark.sparkContext().addSparkListener(killing);

    List<Row> outcomes =
        SparkFleet.quantize(
                spark.createDataFrame(
                    table,
                    new StructType()
                        .add("model", DataTypes.StringType)
                        .add("spec", DataTypes.StringType)
                        .add("output", DataTypes.StringType)))
            .collectAsList();

    spark.sparkContext().listenerBus().waitUntilEmpty(60_000);
    spark.sparkContext().removeSparkListener(killing);
    assertThat(killing.failed).hasPositiveValue();
    assertThat(outcomes).extracting(each -> each.<String>getAs("status")).containsOnly("done");
    try (Stream<Path> entries = Files.list(folder)) {
      assertThat(entries.map(entry -> entry.getFileName().toString()))
          .containsExactlyInAnyOrder("model-0", "model-1", "model-2", "model-3");
    }
    for (int number = 1; number < 4; number++) {
      assertThat(folder.resolve("model-%d/quantized_model.onnx".formatted(number)))
          .hasSameBinaryContentAs(folder.resolve("model-0/quantized_model.onnx"));
    }
  }
}
