package dev.kvant.tck;

import dev.kvant.api.ModelFormatException;
import dev.kvant.api.QuantizableModel;
import dev.kvant.spi.ModelFormat;
import dev.kvant.spi.RecognizedModel;
import dev.kvant.spi.RegularFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** Opens {@link ToyModel}s. Has one {@link FormatDefect} at most. */
public class ToyFormat implements ModelFormat {

  static final String ID = "toy";
  static final String MAGIC = "toy model\n";

  private final FormatDefect defect;
  private final AtomicInteger busy = new AtomicInteger();
  private final List<InputStream> leaked = new ArrayList<>();

  /** For {@link java.util.ServiceLoader}. */
  public ToyFormat() {
    this(FormatDefect.NONE);
  }

  ToyFormat(FormatDefect defect) {
    this.defect = defect;
    if (has(FormatDefect.READS_A_FILE_WHEN_MADE)) {
      try {
        Files.readAllBytes(ToyModels.good());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private boolean has(FormatDefect some) {
    return defect == some;
  }

  @Override
  public List<String> ids() {
    return List.of(has(FormatDefect.UPPER_CASE_ID) ? "TOY" : ID);
  }

  @Override
  public boolean recognizes(Path path) throws IOException {
    if (has(FormatDefect.TAKES_EVERYTHING)) {
      return true;
    }
    if (has(FormatDefect.GOES_BY_EXTENSION)) {
      return path.toString().endsWith(".toy");
    }
    if (!Files.isRegularFile(path)) {
      return false;
    }
    byte[] magic = MAGIC.getBytes(StandardCharsets.UTF_8);
    try (var in = Files.newInputStream(path)) {
      return Arrays.equals(magic, in.readNBytes(magic.length));
    }
  }

  @Override
  public Optional<RecognizedModel> probe(Path path) throws IOException {
    return has(FormatDefect.PROBES_WITHOUT_RESULT)
        ? Optional.empty()
        : ModelFormat.super.probe(path);
  }

  @Override
  public QuantizableModel open(Path path) {
    try {
      if (has(FormatDefect.ONE_AT_A_TIME) && busy.getAndIncrement() > 0) {
        throw new IllegalStateException("somebody else is opening a model");
      }
      if (has(FormatDefect.FAILS_ON_PIPES) && !Files.isRegularFile(path)) {
        throw new IllegalStateException("this is no file");
      }
      RegularFile.check(path);
      if (has(FormatDefect.LEAKS_THE_FILE)) {
        leaked.add(Files.newInputStream(path));
      }
      if (has(FormatDefect.WRITES_WHEN_OPENED)) {
        Files.writeString(path.resolveSibling("index.tmp"), "an index");
      }
      ToyModel model = new ToyModel(path, Files.readAllLines(path), defect);
      if (!has(FormatDefect.TRUSTS_WHAT_IT_READS)) {
        check(model);
      }
      return model;
    } catch (CharacterCodingException e) {
      throw new ModelFormatException("%s is not text in UTF-8".formatted(path), e);
    } catch (IOException e) {
      throw new ModelFormatException("%s cannot be read: %s".formatted(path, e), e);
    } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
      throw new ModelFormatException("%s is damaged: %s".formatted(path, e.getMessage()), e);
    } finally {
      if (has(FormatDefect.ONE_AT_A_TIME)) {
        linger();
        busy.decrementAndGet();
      }
    }
  }

  /** Reads all that a model has, to find out whether it can be read. */
  private static void check(ToyModel model) {
    try {
      model.modules();
      model.record();
      model
          .tensors()
          .values()
          .forEach(tensor -> tensor.read(0, ByteBuffer.allocate((int) tensor.bytes())));
    } catch (RuntimeException e) {
      throw new ModelFormatException("%s is damaged: %s".formatted(model.source(), e), e);
    }
  }

  private static void linger() {
    try {
      Thread.sleep(50);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
