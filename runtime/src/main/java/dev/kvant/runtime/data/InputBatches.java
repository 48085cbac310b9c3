package dev.kvant.runtime.data;

import dev.kvant.api.DataException;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Internal;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.SampleBlock;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The samples of a data set in batches of the size that a model takes.
 *
 * <p>A batch ends early where samples of another shape begin. Where the model declares a fixed
 * batch size, that is the size, and a batch that ends early is filled with repeats of its samples.
 *
 * @since 0.1.0
 */
@Internal
public final class InputBatches implements AutoCloseable {

  private final Path path;
  private final DataReader reader;
  private final List<InputDescription> inputs;
  private final @Nullable Integer wanted;
  private final int fallback;
  private final Consumer<String> remarks;
  private boolean closed;
  private boolean remarked;
  private OptionalInt fixed = OptionalInt.empty();

  /** Samples that were read and belong into the next batch; null if there are none. */
  private @Nullable SampleBlock held;

  /**
   * @param path the data set, for errors
   * @param reader gives the samples; closed with this
   * @param inputs the inputs of the model; empty if they are not known
   * @param wanted the batch size that is configured, at least 1, or null if none is
   * @param fallback the batch size where neither the configuration nor the model has one
   * @param remarks told when the configured batch size is not used
   */
  InputBatches(
      Path path,
      DataReader reader,
      List<InputDescription> inputs,
      @Nullable Integer wanted,
      int fallback,
      Consumer<String> remarks) {
    this.path = path;
    this.reader = reader;
    this.inputs = List.copyOf(inputs);
    this.wanted = wanted;
    this.fallback = fallback;
    this.remarks = remarks;
  }

  /**
   * Opens the data of an evaluation. The caller closes it.
   *
   * @param inputs the inputs of the model; empty if they are not known
   * @param remarks told what a person should know of the data
   * @throws DataException if there is nothing that can be read
   */
  public static InputBatches open(
      DataReaders readers,
      EvaluationConfig config,
      List<InputDescription> inputs,
      Consumer<String> remarks) {
    return open(readers, config, inputs, remarks, reader -> reader);
  }

  /**
   * Opens some of the data of an evaluation. The caller closes it.
   *
   * @param inputs the inputs of the model; empty if they are not known
   * @param remarks told what a person should know of the data
   * @param selection gives some of the samples of a reader, and closes that with itself
   * @throws DataException if there is nothing that can be read
   */
  public static InputBatches open(
      DataReaders readers,
      EvaluationConfig config,
      List<InputDescription> inputs,
      Consumer<String> remarks,
      UnaryOperator<DataReader> selection) {
    return new InputBatches(
        config.data().path(),
        selection.apply(readers.open(config.data(), inputs, remarks)),
        inputs,
        config.batchSize(),
        EvaluationConfig.DEFAULT_BATCH_SIZE,
        remarks);
  }

  /** How many samples a batch holds, if there are as many. */
  public int size() {
    return fixed.orElse(wanted == null ? fallback : wanted);
  }

  /** The number of samples, if it is known beforehand. */
  public OptionalLong count() {
    return reader.count();
  }

  /** How many samples the model takes at once; empty for any number, and before the first batch. */
  OptionalInt fixedSize() {
    return fixed;
  }

  /**
   * The next batch; empty at the end.
   *
   * @throws DataException if the data cannot be read, or fits no batch
   */
  public Optional<InputBatch> next() {
    try {
      return read();
    } catch (IOException e) {
      throw new DataException("%s cannot be read: %s".formatted(path, e), e);
    }
  }

  private Optional<InputBatch> read() throws IOException {
    SampleBlock first = held;
    held = null;
    if (first == null) {
      first = reader.next(wanted == null ? fallback : wanted).orElse(null);
    }
    if (first == null) {
      return Optional.empty();
    }
    if (!hasInputs(first)) {
      throw new DataException("%s has no array but 'label'".formatted(path));
    }
    InputNames names = new InputNames(inputs, names(first));
    fixed = fixedSize(first, names);
    int size = size();
    if (wanted != null && size != wanted && !remarked) {
      remarked = true;
      remarks.accept(
          "batch_size %d is not used: the model takes %d at once".formatted(wanted, size));
    }
    return Optional.of(batch(collect(first, size), size, fixed.isPresent(), names));
  }

  private static boolean hasInputs(SampleBlock block) {
    Set<String> names = names(block);
    names.remove(DataReader.LABEL);
    return !names.isEmpty();
  }

  private static Set<String> names(SampleBlock block) {
    Set<String> names = new HashSet<>(block.tensors().keySet());
    names.addAll(block.shared().keySet());
    return names;
  }

  /** As many samples as there should be, fewer at the end or where others begin. */
  private SampleBlock collect(SampleBlock first, int size) throws IOException {
    List<SampleBlock> parts = new ArrayList<>();
    int missing = size;
    @Nullable SampleBlock next = first;
    while (next != null) {
      if (!parts.isEmpty() && !Rows.areAlike(parts.get(0), next)) {
        held = next;
        break;
      }
      if (next.count() > missing) {
        parts.add(Rows.cut(next, 0, missing));
        held = Rows.cut(next, missing, next.count() - missing);
        break;
      }
      parts.add(next);
      missing -= next.count();
      next = missing == 0 ? null : reader.next(missing).orElse(null);
    }
    return Rows.join(parts);
  }

  /** How many samples the model takes at once; empty if any number. */
  private OptionalInt fixedSize(SampleBlock block, InputNames names) {
    @Nullable InputDescription decisive = null;
    long size = 0;
    for (Map.Entry<String, Tensor> tensor : block.tensors().entrySet()) {
      InputDescription input = names.input(tensor.getKey());
      if (input == null || input.shape() == null) {
        continue;
      }
      OptionalLong fixed =
          takesSingleSamples(input, tensor.getValue()) ? OptionalLong.of(1) : input.fixedSize(0);
      if (fixed.isEmpty()) {
        continue;
      }
      if (decisive != null && size != fixed.getAsLong()) {
        throw new DataException(
            ("the inputs '%s' %s and '%s' %s do not take the same number of samples at once; an"
                    + " array that holds for all samples must have the shape of its input")
                .formatted(decisive.name(), decisive.printed(), input.name(), input.printed()));
      }
      decisive = input;
      size = fixed.getAsLong();
    }
    if (decisive == null) {
      return OptionalInt.empty();
    }
    if (size < 1) {
      throw new DataException(
          "the input '%s' %s takes no samples".formatted(decisive.name(), decisive.printed()));
    }
    return OptionalInt.of(Math.toIntExact(size));
  }

  /** Whether an input has no axis for samples: its shape is that of one sample. */
  private static boolean takesSingleSamples(InputDescription input, Tensor tensor) {
    List<Long> shape = Objects.requireNonNull(input.shape());
    return shape.size() == tensor.shape().size() - 1 && input.fits(Rows.rowShape(tensor));
  }

  private static InputBatch batch(
      SampleBlock samples, int size, boolean isFixed, InputNames names) {
    SampleBlock rows = isFixed ? Rows.filled(samples, size) : samples;
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    rows.tensors()
        .forEach(
            (name, tensor) -> {
              InputDescription input = names.input(name);
              boolean isSingle =
                  input != null && input.shape() != null && takesSingleSamples(input, tensor);
              tensors.put(name, isSingle ? Rows.withoutSampleAxis(tensor) : tensor);
            });
    tensors.putAll(rows.shared());
    tensors.remove(DataReader.LABEL);
    return new InputBatch(
        new TensorBatch(tensors),
        samples.tensors().get(DataReader.LABEL),
        samples.count(),
        rows.count());
  }

  /** Closes the files. A second call does nothing. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      reader.close();
    } catch (IOException e) {
      throw new DataException("%s cannot be closed: %s".formatted(path, e), e);
    }
  }
}
