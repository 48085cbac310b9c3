package dev.kvant.spark;

import org.apache.spark.sql.SparkSession;

/** Spark in the process of the tests, which all share it. */
final class LocalSpark {

  private LocalSpark() {}

  static SparkSession session() {
    return SparkSession.builder()
        .master("local[2]")
        .config("spark.ui.enabled", false)
        .config("spark.sql.shuffle.partitions", 2)
        .getOrCreate();
  }
}
