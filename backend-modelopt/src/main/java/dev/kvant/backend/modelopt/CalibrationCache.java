package dev.kvant.backend.modelopt;

import dev.kvant.api.CalibrationException;
import dev.kvant.api.KvantException;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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

  private static final String MAGIC = "kvant calibration 1";

  CalibrationCache {
    observed = List.copyOf(observed);
    statistics = Map.copyOf(statistics);
  }

  /**
   * Reads a file.
   *
   * @throws CalibrationException if it is none of these
   */
  static CalibrationCache read(Path file) {
    try (var in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
      if (!in.readUTF().equals(MAGIC)) {
        throw new IOException("it does not begin as one");
      }
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
      return new CalibrationCache(model, data, observed, statistics);
    } catch (IOException | IllegalArgumentException e) {
      throw new CalibrationException(
          "%s is no calibration cache that can be read: %s; remove it, or name another file"
              .formatted(file, e instanceof EOFException ? "it is cut short" : e.getMessage()),
          e);
    }
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

  /** Writes the file, whole or not at all. */
  void write(Path file) {
    Path absolute = file.toAbsolutePath().normalize();
    Path folder = absolute.getParent();
    Path name = absolute.getFileName();
    if (folder == null || name == null) {
      throw new KvantException("%s is no name for a calibration cache".formatted(file));
    }
    try (var transaction = ArtifactTransaction.begin(folder)) {
      Path temporary = transaction.create(name.toString());
      try (var out =
          new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(temporary)))) {
        out.writeUTF(MAGIC);
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
      }
      transaction.commit();
    } catch (IOException e) {
      throw new KvantException(
          "the calibration cache %s cannot be written: %s".formatted(file, e), e);
    }
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
   * Checks that it tells what a run would observe.
   *
   * @param file where it lies, for messages
   * @param wanted how much modules would observe, by name
   * @throws CalibrationException with what it was made of instead
   */
  void check(Path file, String modelNow, String dataNow, Map<String, Level> wanted) {
    if (!model.equals(modelNow)) {
      throw stale(file, "another model file");
    }
    List<String> missing =
        wanted.entrySet().stream()
            .filter(module -> !tells(module.getKey(), module.getValue()))
            .map(Map.Entry::getKey)
            .toList();
    if (!missing.isEmpty()) {
      throw stale(file, "another plan, which did not observe " + String.join(", ", missing));
    }
    if (!data.equals(dataNow)) {
      throw stale(file, "other data");
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
