package dev.kvant.spark;

import dev.kvant.api.KvantException;
import java.util.function.Supplier;
import org.apache.spark.SparkException;

/** Runs jobs, and gives their failures the form of other errors of Kvant. */
final class SparkJobs {

  private SparkJobs() {}

  /**
   * Runs a job.
   *
   * @throws KvantException if a task failed: with the message of Kvant's error in the task, if that
   *     is the reason
   */
  static <T> T run(Supplier<T> job) {
    try {
      return job.get();
    } catch (Exception e) {
      // Scala declares no checked exceptions.
      if (!((Object) e instanceof SparkException)) {
        throw e;
      }
      for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
        if (cause instanceof KvantException) {
          throw new KvantException("a task failed: " + cause.getMessage(), e);
        }
      }
      throw new KvantException("a job of Spark failed: " + e.getMessage(), e);
    }
  }
}
