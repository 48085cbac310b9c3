package dev.kvant.backend.torchao;

import dev.kvant.kit.ByteProgress;
import dev.kvant.kit.Threads;
import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.QuantizedType;
import dev.kvant.numerics.RowQuantizer;
import java.nio.ByteBuffer;
import java.util.concurrent.ExecutorService;

/**
 * The buffers and threads that all weights of one run are quantized with, one weight at a time. Its
 * size is all the memory that tensors take.
 */
final class Workspace implements AutoCloseable {

  /** Bytes of weights in one block. */
  static final int BLOCK_BYTES = 4 << 20;

  private final int blockBytes;
  private final int parallelism;
  private final ExecutorService threads;
  private final ByteProgress progress;
  private final ByteBuffer weights;
  private final ByteBuffer codes;

  /**
   * A workspace.
   *
   * @param blockBytes bytes of weights in one block, a multiple of 8
   * @param parallelism how many threads to use, the caller's among them
   * @param progress counts the bytes of tensors that are done
   */
  Workspace(int blockBytes, int parallelism, ByteProgress progress) {
    this.blockBytes = blockBytes;
    this.parallelism = parallelism;
    this.progress = progress;
    this.threads = Threads.start(Math.max(1, parallelism - 1));
    this.weights = ByteBuffer.allocateDirect(blockBytes);
    // One byte for each weight, and the smallest weights have two.
    this.codes = ByteBuffer.allocateDirect(blockBytes / 2);
  }

  /** What quantizes blocks of that type. */
  RowQuantizer quantizer(FloatType source, QuantizedType codes) {
    return RowQuantizer.torchao(source, codes).parallel(parallelism, threads);
  }

  /** The buffer for weights as a whole. */
  ByteBuffer block() {
    return weights;
  }

  int blockBytes() {
    return blockBytes;
  }

  /** The buffer for weights, empty and as long as that. */
  ByteBuffer weights(int bytes) {
    return weights.clear().limit(bytes);
  }

  /** The buffer for codes, empty and as long as that. */
  ByteBuffer codes(int bytes) {
    return codes.clear().limit(bytes);
  }

  /**
   * Reports that so many bytes of a tensor are done.
   *
   * @throws dev.kvant.api.QuantizationCancelledException if the thread was interrupted
   */
  void advance(long bytes, String tensor) {
    progress.advance(bytes, tensor);
  }

  /** Reports that all is done. */
  void finish() {
    progress.finish();
  }

  @Override
  public void close() {
    Threads.end(threads);
  }
}
