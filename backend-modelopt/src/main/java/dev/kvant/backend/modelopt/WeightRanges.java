package dev.kvant.backend.modelopt;

import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.api.QuantizationException;
import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.numerics.observer.RangeObserver;
import dev.kvant.torch.tensor.ChannelLayout;
import dev.kvant.torch.tensor.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;

/**
 * Finds the ranges of weights. They are read block by block, some channels at a time, so that
 * memory does not grow with the weights.
 */
final class WeightRanges implements AutoCloseable {

  /** Elements that a thread reads at once. */
  private static final int BLOCK = 1 << 18;

  /** Channels that a thread observes at once; their observers take up to 4 MiB. */
  private static final int CHANNELS = 64;

  private final int parallelism;
  private final ExecutorService threads;

  /**
   * Ranges, found by some threads.
   *
   * @param parallelism how many
   */
  WeightRanges(int parallelism) {
    this.parallelism = parallelism;
    this.threads =
        Executors.newFixedThreadPool(
            parallelism,
            task -> {
              var thread = new Thread(task, "kvant-modelopt");
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * The range of a weight, or of each of its channels.
   *
   * @param name the tensor's name, for messages
   * @param weight float32, float16 or bfloat16, not empty
   * @param grid what it is quantized to
   * @param axis the dimension that counts channels; none for one range of all
   * @param observers makes what finds a range
   * @throws QuantizationException if an element is NaN or infinite
   * @throws QuantizationCancelledException if the thread was interrupted
   */
  OperandQuantization of(
      String name,
      StoredTensor weight,
      Grid grid,
      OptionalInt axis,
      Supplier<RangeObserver> observers) {
    var source = new Source(name, weight);
    return axis.isPresent()
        ? perChannel(source, grid, ChannelLayout.of(weight.shape(), axis.getAsInt()), observers)
        : perTensor(source, grid, observers);
  }

  private OperandQuantization perTensor(
      Source source, Grid grid, Supplier<RangeObserver> observers) {
    long elements = source.weight().elements();
    long share = Math.max(BLOCK, (elements + parallelism - 1) / parallelism);
    List<Callable<RangeObserver>> tasks = new ArrayList<>();
    for (long first = 0; first < elements; first += share) {
      long from = first;
      tasks.add(
          () -> {
            RangeObserver observer = observers.get();
            source.observe(
                from, Math.min(share, elements - from), Long.MAX_VALUE, part -> observer);
            return observer;
          });
    }
    RangeObserver all = observers.get();
    run(tasks).forEach(all::merge);
    return OperandQuantization.perTensor(grid, all.range(grid).amax());
  }

  private OperandQuantization perChannel(
      Source source, Grid grid, ChannelLayout layout, Supplier<RangeObserver> observers) {
    float[] amax = new float[layout.channels()];
    int group = Math.min(CHANNELS, (layout.channels() + parallelism - 1) / parallelism);
    List<Callable<Boolean>> tasks = new ArrayList<>();
    for (int first = 0; first < amax.length; first += group) {
      int from = first;
      tasks.add(
          () -> {
            int count = Math.min(group, amax.length - from);
            var own = new RangeObserver[count];
            Arrays.setAll(own, i -> observers.get());
            for (long slice = 0; slice < layout.slices(); slice++) {
              source.observe(
                  (slice * layout.channels() + from) * layout.columns(),
                  (long) count * layout.columns(),
                  layout.columns(),
                  channel -> own[channel]);
            }
            for (int i = 0; i < count; i++) {
              amax[from + i] = own[i].range(grid).amax();
            }
            return true;
          });
    }
    run(tasks);
    return new OperandQuantization(grid, amax, layout.scaleShape());
  }

  private <T> List<T> run(List<Callable<T>> tasks) {
    List<T> results = new ArrayList<>();
    try {
      // Tasks that are done before they are waited for would hide it.
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      for (Future<T> task : threads.invokeAll(tasks)) {
        results.add(task.get());
      }
      return results;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new QuantizationCancelledException("the search for ranges was interrupted", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException problem) {
        throw problem;
      }
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }

  /** Gives the observer of the channel with that number, from 0 on. */
  private interface Observers {
    RangeObserver of(int channel);
  }

  private record Source(String name, StoredTensor weight) {

    /**
     * Lets elements be observed.
     *
     * @param first the row-major index of the first
     * @param count how many
     * @param columns how many of them are of one channel, before the next begins
     */
    void observe(long first, long count, long columns, Observers observers) {
      int size = weight.elementType().bytes();
      ByteBuffer bytes =
          ByteBuffer.allocate((int) Math.min(count, BLOCK) * size).order(ByteOrder.LITTLE_ENDIAN);
      for (long done = 0; done < count; done += bytes.limit() / size) {
        bytes.clear().limit((int) Math.min(bytes.capacity(), (count - done) * size));
        weight.read(first + done, bytes);
        FloatBuffer values = floats(bytes.flip());
        int position = 0;
        while (position < values.capacity()) {
          long channel = (done + position) / columns;
          long end = Math.min(values.capacity() + done, (channel + 1) * columns) - done;
          observe(
              observers.of((int) channel),
              values.limit((int) end).position(position),
              first + done + position);
          position = (int) end;
        }
      }
    }

    private void observe(RangeObserver observer, FloatBuffer values, long firstIndex) {
      try {
        observer.observe(values, firstIndex);
      } catch (NonFiniteValueException e) {
        throw new QuantizationException(
            "'%s' cannot be quantized: element %s is %s; such a model answers nothing useful, train or export it again, or leave the module native"
                .formatted(name, ChannelLayout.of(weight.shape(), 0).index(e.index()), e.value()),
            e);
      }
    }

    private FloatBuffer floats(ByteBuffer bytes) {
      FloatType type = FloatType.find(weight.elementType().label()).orElseThrow();
      if (type == FloatType.FLOAT32) {
        return bytes.asFloatBuffer();
      }
      var values = new float[bytes.remaining() / type.bytes()];
      for (int i = 0; i < values.length; i++) {
        values[i] = type.get(bytes, i);
      }
      return FloatBuffer.wrap(values);
    }
  }
}
