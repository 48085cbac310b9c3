package dev.kvant.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import scala.Tuple2;

/**
 * A standalone cluster on this machine, with executors in processes of their own.
 *
 * <p>A worker starts its executors by the scripts' rules: from {@code SPARK_HOME}, whose folder
 * {@code jars} may be empty, because the executors get the class path of the test.
 */
final class Cluster {

  private Cluster() {}

  /** Starts a cluster of two workers with one core each. */
  static SparkSession start() throws IOException {
    Files.createDirectories(Path.of(System.getenv("SPARK_HOME"), "jars"));
    return SparkSession.builder()
        .master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", false)
        // No job begins before both executors are there.
        .config("spark.scheduler.minRegisteredResourcesRatio", "1")
        .config("spark.executor.extraClassPath", System.getProperty("java.class.path"))
        .config("spark.executorEnv.SPARK_SCALA_VERSION", "2.13")
        .getOrCreate();
  }

  /** The processes of both executors, by their ids; one that was killed is replaced first. */
  static Map<String, ProcessHandle> executors(SparkSession spark) {
    Map<String, ProcessHandle> executors = new HashMap<>();
    for (int attempt = 0; executors.size() < 2 && attempt < 60; attempt++) {
      executors.clear();
      JavaSparkContext.fromSparkContext(spark.sparkContext())
          .parallelize(List.of(0, 1), 2)
          .mapToPair(
              number -> {
                // Long enough that each executor gets one of the two tasks.
                Thread.sleep(500);
                return new Tuple2<>(SparkEnv.get().executorId(), ProcessHandle.current().pid());
              })
          .collect()
          .forEach(
              executor ->
                  executors.put(executor._1(), ProcessHandle.of(executor._2()).orElseThrow()));
    }
    return executors;
  }
}
