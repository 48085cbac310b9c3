package dev.kvant.spark;

import dev.kvant.runtime.Kvant;
import org.apache.spark.TaskContext;

/** What tasks find in their executor. */
final class Executors {

  private Executors() {}

  /** Kvant with as many threads as Spark gives the task, {@code spark.task.cpus}. */
  static Kvant kvant() {
    TaskContext task = TaskContext.get();
    return Kvant.builder().parallelism(task == null ? 1 : Math.max(1, task.cpus())).build();
  }
}
