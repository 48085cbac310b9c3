package dev.kvant.tck;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.DataException;
import dev.kvant.api.Tensor;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.DataReaderDescriptor;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.DataRequest;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.Options;
import dev.kvant.spi.RegularFile;
import dev.kvant.spi.SampleBlock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Reads files of lines {@code x,y;}: each is a sample, and their shared value is the setting {@code
 * scale}.
 */
class ToyReader implements DataReaderProvider {

  private static final AtomicInteger CALLS = new AtomicInteger();

  private final ReaderDefect defect;
  private final AtomicInteger sharedPlace = new AtomicInteger();

  ToyReader(ReaderDefect defect) {
    this.defect = defect;
    if (has(ReaderDefect.READS_A_FILE_WHEN_MADE)) {
      try {
        Files.readAllBytes(ToyData.file());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** For {@link java.util.ServiceLoader}. */
  public ToyReader() {
    this(ReaderDefect.NONE);
  }

  private boolean has(ReaderDefect one) {
    return defect == one;
  }

  @Override
  public DataReaderDescriptor descriptor() {
    String suffix = has(ReaderDefect.ANOTHER_OPTION_EACH_TIME) ? "" + CALLS.incrementAndGet() : "";
    return new DataReaderDescriptor(
        "toy",
        "Reads toy data.",
        List.of(
            OptionDescriptor.of("scale", OptionDescriptor.Type.INTEGER, "For all samples."),
            OptionDescriptor.of("other" + suffix, OptionDescriptor.Type.STRING, "Nothing.")));
  }

  @Override
  public boolean recognizes(Path path) {
    return has(ReaderDefect.TAKES_EVERYTHING)
        || (!has(ReaderDefect.KNOWS_NOTHING) && path.toString().endsWith(".toydata"));
  }

  @Override
  public List<ConfigurationProblem> validate(Options options) {
    return has(ReaderDefect.DISLIKES_SETTINGS)
        ? List.of(new ConfigurationProblem("scale", "is wrong"))
        : List.of();
  }

  @Override
  public DataReader open(DataRequest request) throws IOException {
    if (has(ReaderDefect.FAILS_ON_PIPES) && !Files.isRegularFile(request.path())) {
      throw new IllegalStateException("this is no file");
    }
    RegularFile.check(request.path());
    List<String> lines = Files.readAllLines(request.path());
    float[] values = new float[2 * lines.size()];
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (!line.matches("[0-9]+,[0-9]+;") && !has(ReaderDefect.FAILS_ON_CUT_FILES)) {
        throw new DataException(
            has(ReaderDefect.NAMES_NO_FILE)
                ? "the data is damaged"
                : "line %d of %s is damaged".formatted(i + 1, request.path()));
      }
      String[] numbers = line.substring(0, line.length() - 1).split(",", -1);
      values[2 * i] = Float.parseFloat(numbers[0]);
      values[2 * i + 1] = Float.parseFloat(numbers[1]);
    }
    return new Opened(values, request.options().integer("scale"));
  }

  private final class Opened implements DataReader {

    private final float[] values;
    private final int scale;
    private final AtomicInteger place =
        has(ReaderDefect.SHARES_ITS_PLACE) ? sharedPlace : new AtomicInteger();
    private boolean closed;

    Opened(float[] values, int scale) {
      this.values = values;
      this.scale = scale;
    }

    private int samples() {
      return values.length / 2 - (has(ReaderDefect.LAST_SAMPLE_LOST) ? 1 : 0);
    }

    @Override
    public OptionalLong count() {
      return OptionalLong.of(samples() - (has(ReaderDefect.COUNTS_WHAT_IS_LEFT) ? place.get() : 0));
    }

    @Override
    public Optional<SampleBlock> next(int most) {
      int from = place.get();
      int count = Math.min(most + (has(ReaderDefect.GIVES_TOO_MANY) ? 1 : 0), samples() - from);
      if (count <= 0) {
        if (has(ReaderDefect.STARTS_AGAIN) && from > 0) {
          place.set(0);
        }
        return Optional.empty();
      }
      place.addAndGet(count);
      float[] rows = new float[2 * count];
      for (int i = 0; i < count; i++) {
        int row = has(ReaderDefect.WRONG_ORDER_IN_BLOCKS) ? count - 1 - i : i;
        System.arraycopy(values, 2 * (from + i), rows, 2 * row, 2);
      }
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      tensors.put("x", Tensor.ofFloats(rows, count, 2));
      if (has(ReaderDefect.ONE_MORE_NAME)) {
        tensors.put("y", Tensor.ofFloats(rows, count, 2));
      }
      boolean isShared = !has(ReaderDefect.SHARED_ONCE) || from == 0;
      return Optional.of(
          new SampleBlock(
              count,
              tensors,
              isShared ? Map.of("scale", Tensor.ofLongs(new long[] {scale})) : Map.of()));
    }

    @Override
    public void close() {
      if (closed && has(ReaderDefect.CLOSES_ONCE)) {
        throw new IllegalStateException("closed");
      }
      closed = true;
    }
  }
}
