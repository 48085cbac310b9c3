package dev.kvant.backend.modelopt;

import dev.kvant.api.CalibrationException;
import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.backend.modelopt.InputObserver.Level;
import dev.kvant.numerics.observer.Histogram;
import dev.kvant.numerics.observer.ValueRange;
import dev.kvant.spi.ArtifactTransaction;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UTFDataFormatException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;

/**
 * Keeps what calibration observed in a file, together with what it was observed of.
 *
 * @param model the fingerprint of the model's file
 * @param data the fingerprint of the data
 * @param observed the modules that observed, reached by the data or not
 * @param statistics what they observed
 */
record CalibrationCache(
    String model, String data, List<String> observed, Map<String, InputStatistics> statistics) {

  private static final byte[] MAGIC = "kvant calibration 1\n".getBytes(StandardCharsets.US_ASCII);

  private static final String CUT_SHORT = "it is cut short";
  private static final String DAMAGED = "it is damaged";

  /** How many modules a message names. */
  private static final int NAMED = 5;

  CalibrationCache {
    observed = List.copyOf(observed);
    statistics = Map.copyOf(statistics);
  }

  /**
   * Reads a file.
   *
   * @throws CalibrationException if it is none of these, or not as it was written
   */
  static CalibrationCache read(Path file) {
    try (var in =
        new CheckedInputStream(new BufferedInputStream(Files.newInputStream(file)), new CRC32())) {
      byte[] head = in.readNBytes(MAGIC.length);
      if (!Arrays.equals(head, MAGIC)) {
        throw new IOException(
            Arrays.equals(head, 0, head.length, MAGIC, 0, head.length)
                ? CUT_SHORT
                : "it does not begin as one");
      }
      return read(in);
    } catch (EOFException e) {
      throw unreadable(file, CUT_SHORT, e);
    } catch (UTFDataFormatException | IllegalArgumentException e) {
      throw unreadable(file, DAMAGED, e);
    } catch (IOException e) {
      throw unreadable(file, String.valueOf(e.getMessage()), e);
    }
  }

  private static CalibrationCache read(CheckedInputStream checked) throws IOException {
    var in = new DataInputStream(checked);
    String model = in.readUTF();
    String data = in.readUTF();
    List<String> observed = new ArrayList<>();
    Map<String, InputStatistics> statistics = new LinkedHashMap<>();
    int modules = in.readInt();
    for (int i = 0; i < modules; i++) {
      String name = in.readUTF();
      observed.add(name);
      if (in.readBoolean()) {
        statistics.put(name, readStatistics(in));
      }
    }
    long checksum = checked.getChecksum().getValue();
    if (in.readLong() != checksum || in.read() != -1) {
      throw new IOException(DAMAGED);
    }
    return new CalibrationCache(model, data, observed, statistics);
  }

  private static CalibrationException unreadable(Path file, String why, Exception cause) {
    return new CalibrationException(
        "%s is no calibration cache that can be read: %s; remove it, or name another file"
            .formatted(file, why),
        cause);
  }

  private static InputStatistics readStatistics(DataInputStream in) throws IOException {
    var range = new ValueRange(in.readFloat(), in.readFloat());
    if (!in.readBoolean()) {
      return new InputStatistics(range, Optional.empty());
    }
    int exponent = in.readInt();
    long[] counts = new long[2 * Histogram.BINS + 1];
    for (int i = 0; i < counts.length; i++) {
      counts[i] = in.readLong();
    }
    return new InputStatistics(range, Optional.of(Histogram.of(exponent, counts, range)));
  }

  /**
   * Tries whether a file can be written, before anything is observed that would be lost.
   *
   * @throws KvantException if it cannot be
   */
  static void checkPlace(Path file) {
    inPlace(file, temporary -> false);
  }

  /**
   * Writes the file, whole or not at all.
   *
   * @throws KvantException if it cannot be written
   */
  void write(Path file) {
    inPlace(
        file,
        temporary -> {
          try (var out =
              new CheckedOutputStream(
                  new BufferedOutputStream(Files.newOutputStream(temporary)), new CRC32())) {
            write(out);
          }
          return true;
        });
  }

  /** Fills a temporary file, and tells whether it is to stay. */
  private interface Filling {
    boolean fill(Path temporary) throws IOException;
  }

  private static void inPlace(Path file, Filling filling) {
    Path absolute = file.toAbsolutePath().normalize();
    Path folder = absolute.getParent();
    Path name = absolute.getFileName();
    if (folder == null || name == null) {
      throw new KvantException("%s is no name for a calibration cache".formatted(file));
    }
    try (var transaction = ArtifactTransaction.begin(folder)) {
      if (filling.fill(transaction.create(name.toString()))) {
        transaction.commit();
      }
    } catch (QuantizationCancelledException e) {
      throw e;
    } catch (IOException | KvantException e) {
      throw new KvantException(
          "the calibration cache %s cannot be written: %s".formatted(file, e.getMessage()), e);
    }
  }

  private void write(CheckedOutputStream checked) throws IOException {
    var out = new DataOutputStream(checked);
    out.write(MAGIC);
    out.writeUTF(model);
    out.writeUTF(data);
    out.writeInt(observed.size());
    for (String module : observed) {
      out.writeUTF(module);
      InputStatistics known = statistics.get(module);
      out.writeBoolean(known != null);
      if (known != null) {
        write(known, out);
      }
    }
    out.writeLong(checked.getChecksum().getValue());
  }

  private static void write(InputStatistics statistics, DataOutputStream out) throws IOException {
    out.writeFloat(statistics.range().min());
    out.writeFloat(statistics.range().max());
    out.writeBoolean(statistics.histogram().isPresent());
    if (statistics.histogram().isPresent()) {
      Histogram histogram = statistics.histogram().get();
      out.writeInt(histogram.exponent());
      for (long count : histogram.counts()) {
        out.writeLong(count);
      }
    }
  }

  /**
   * Checks that it is of this model, and tells of every module what a run would observe.
   *
   * @param file where it lies, for messages
   * @param wanted how much modules would observe, by name
   * @throws CalibrationException with what it was made of instead
   */
  void checkModel(Path file, String modelNow, Map<String, Level> wanted) {
    if (!model.equals(modelNow)) {
      throw stale(file, "another model file");
    }
    List<String> missing =
        wanted.entrySet().stream()
            .filter(module -> !tells(module.getKey(), module.getValue()))
            .map(Map.Entry::getKey)
            .toList();
    if (!missing.isEmpty()) {
      String more = missing.size() <= NAMED ? "" : " and %d more".formatted(missing.size() - NAMED);
      throw stale(
          file,
          "another plan, which did not observe "
              + String.join(", ", missing.subList(0, Math.min(NAMED, missing.size())))
              + more);
    }
  }

  /** Checks that it is of this data. */
  void checkData(Path file, String dataNow) {
    if (!data.equals(dataNow)) {
      throw stale(file, "other data, or with the same in other batches");
    }
  }

  private boolean tells(String module, Level level) {
    InputStatistics known = statistics.get(module);
    return observed.contains(module)
        && (known == null || level != Level.DISTRIBUTION || known.histogram().isPresent());
  }

  private static CalibrationException stale(Path file, String what) {
    return new CalibrationException(
        "the calibration cache %s was made with %s; remove it to calibrate again, or name another file"
            .formatted(file, what));
  }
}
