/**
 * Kvant in Apache Spark: calibration and evaluation of a DataFrame's rows, and quantization of many
 * models, in the executors of a cluster.
 */
@NullMarked
package dev.kvant.spark;

import org.jspecify.annotations.NullMarked;
