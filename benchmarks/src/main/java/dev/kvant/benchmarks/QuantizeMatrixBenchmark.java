package dev.kvant.benchmarks;

import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.QuantizedType;
import dev.kvant.numerics.RowQuantizer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Quantizes a float32 matrix that is in memory, off the heap like a mapped file, as {@code
 * peers/quantize_matrix.py} does with torchao. The codes and scales are allocated within the time
 * that is measured, as they are there.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class QuantizeMatrixBenchmark {

  /** The type to quantize to. */
  @Param public QuantizedType codes = QuantizedType.INT8;

  /** Rows of the matrix. */
  @Param("4096")
  public int rows;

  /** Columns of the matrix. */
  @Param("4096")
  public int columns;

  /** Threads that quantize. */
  @Param("2")
  public int threads;

  private ByteBuffer weights = ByteBuffer.allocate(0);
  private ExecutorService executor = Executors.newSingleThreadExecutor();
  private RowQuantizer quantizer = RowQuantizer.torchao(FloatType.FLOAT32, codes);

  /** Fills the matrix with normally distributed weights. */
  @Setup
  public void prepare() {
    weights =
        ByteBuffer.allocateDirect(rows * columns * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    FloatBuffer floats = weights.asFloatBuffer();
    Random random = new Random(0);
    while (floats.hasRemaining()) {
      floats.put((float) random.nextGaussian() * 0.02f);
    }
    executor.shutdown();
    executor = Executors.newFixedThreadPool(threads);
    quantizer = RowQuantizer.torchao(FloatType.FLOAT32, codes).parallel(threads, executor);
  }

  /** Ends the threads. */
  @TearDown
  public void end() {
    executor.shutdown();
  }

  /**
   * Quantizes all rows.
   *
   * @return the codes
   */
  @Benchmark
  public ByteBuffer quantizeRows() {
    ByteBuffer target = ByteBuffer.allocate(rows * columns);
    quantizer.quantizeRows(weights, columns, new float[rows], 0, target);
    return target;
  }
}
