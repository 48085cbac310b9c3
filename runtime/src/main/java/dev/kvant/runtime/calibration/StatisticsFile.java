package dev.kvant.runtime.calibration;

import dev.kvant.api.CalibrationException;
import dev.kvant.api.KvantException;
import dev.kvant.api.NonFiniteValues;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.numerics.observer.ChannelStatistics;
import dev.kvant.numerics.observer.Gram;
import dev.kvant.numerics.observer.Histogram;
import dev.kvant.numerics.observer.TensorStatistics;
import dev.kvant.numerics.observer.ValueRange;
import dev.kvant.spi.ArtifactTransaction;
import dev.kvant.spi.CalibrationStatistics;
import dev.kvant.spi.Observation;
import dev.kvant.spi.RegularFile;
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
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;

/**
 * Statistics with what they are of, as a file keeps them.
 *
 * @param model the fingerprint of the model's files
 * @param data the fingerprints of the data sets that were observed, sorted
 * @param statistics what was observed
 */
record StatisticsFile(String model, List<String> data, CalibrationStatistics statistics) {

  private static final byte[] MAGIC = "kvant statistics 1\n".getBytes(StandardCharsets.US_ASCII);

  private static final String CUT_SHORT = "it is cut short";
  private static final String DAMAGED = "it is damaged";

  /** What follows a range, as bits of one byte. */
  private static final int HISTOGRAM = 1;

  private static final int CHANNELS = 2;
  private static final int PRODUCTS = 8;

  private static final int IGNORED = 4;

  private static final int FIRST_FLOATS = 1 << 10;

  /** How many tensors a message names. */
  private static final int NAMED = 5;

  StatisticsFile {
    data = data.stream().sorted().toList();
  }

  StatisticsFile withModel(String fingerprint) {
    return new StatisticsFile(fingerprint, data, statistics);
  }

  StatisticsFile withData(String fingerprint) {
    return new StatisticsFile(model, List.of(fingerprint), statistics);
  }

  /**
   * The statistics of both data sets.
   *
   * @param file where the other ones lie, for messages
   * @throws CalibrationException if they are of another model, observed other tensors, or the same
   *     data as well
   */
  StatisticsFile plus(StatisticsFile other, Path file) {
    if (!model.equals(other.model)) {
      throw new CalibrationException(
          "%s was made with another model file than the statistics before it; calibrate one model on all data"
              .formatted(file));
    }
    Map<String, Optional<TensorStatistics>> ours = statistics.tensors();
    Map<String, Optional<TensorStatistics>> theirs = other.statistics.tensors();
    if (!ours.keySet().equals(theirs.keySet())) {
      var names = new TreeSet<>(ours.keySet());
      names.addAll(theirs.keySet());
      names.removeIf(name -> ours.containsKey(name) && theirs.containsKey(name));
      throw new CalibrationException(
          "%s was made with another plan than the statistics before it: only one of them observed %s; calibrate all data with one spec"
              .formatted(file, few(List.copyOf(names))));
    }
    if (!Collections.disjoint(data, other.data)) {
      throw new CalibrationException(
          "%s observed data that the statistics before it observed too, and whose values would count twice; name each file once"
              .formatted(file));
    }
    return new StatisticsFile(
        model,
        Stream.concat(data.stream(), other.data.stream()).toList(),
        statistics.plus(other.statistics));
  }

  private static String few(List<String> names) {
    String named = String.join(", ", names.subList(0, Math.min(NAMED, names.size())));
    return names.size() <= NAMED ? named : "%s and %d more".formatted(named, names.size() - NAMED);
  }

  /**
   * Checks that these are statistics of a model, and tell what a run needs.
   *
   * @param file where they lie, for messages
   * @param wanted what the run needs
   * @throws CalibrationException with what they were made of instead
   */
  void check(Path file, String modelNow, Map<String, Observation> wanted) {
    if (!model.equals(modelNow)) {
      throw stale(file, "another model file");
    }
    List<String> missing =
        wanted.entrySet().stream()
            .filter(tensor -> !statistics.tells(tensor.getKey(), tensor.getValue()))
            .map(Map.Entry::getKey)
            .toList();
    if (!missing.isEmpty()) {
      throw stale(file, "another plan, which did not observe " + few(missing));
    }
  }

  /** Checks that they are of this data, with what is done with values that are not finite. */
  void checkData(Path file, String dataNow, NonFiniteValues nonFinite) {
    if (nonFinite == NonFiniteValues.REFUSE && !ignored().isEmpty()) {
      throw stale(file, "non_finite: ignore, and values left out");
    }
    if (!data.equals(List.of(dataNow))) {
      throw stale(file, "other data, or with the same in other batches");
    }
  }

  /** How many values were left out of each tensor, of those where there are any. */
  Map<String, Long> ignored() {
    Map<String, Long> ignored = new TreeMap<>();
    statistics
        .tensors()
        .forEach(
            (name, seen) ->
                seen.filter(tensor -> tensor.ignored() > 0)
                    .ifPresent(tensor -> ignored.put(name, tensor.ignored())));
    return ignored;
  }

  private static CalibrationException stale(Path file, String what) {
    return new CalibrationException(
        "the statistics file %s was made with %s; remove it to calibrate again, or name another file"
            .formatted(file, what));
  }

  /**
   * Reads a file.
   *
   * @throws CalibrationException if it is not there, is no such file, or is not as it was written
   */
  static StatisticsFile read(Path file) {
    try (var in =
        new CheckedInputStream(new BufferedInputStream(RegularFile.stream(file)), new CRC32())) {
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

  private static StatisticsFile read(CheckedInputStream checked) throws IOException {
    var in = new DataInputStream(checked);
    String model = in.readUTF();
    List<String> data = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      data.add(in.readUTF());
    }
    Map<String, Optional<TensorStatistics>> tensors = new TreeMap<>();
    for (int left = in.readInt(); left > 0; left--) {
      String name = in.readUTF();
      tensors.put(name, in.readBoolean() ? Optional.of(readTensor(in)) : Optional.empty());
    }
    long checksum = checked.getChecksum().getValue();
    if (in.readLong() != checksum || in.read() != -1) {
      throw new IOException(DAMAGED);
    }
    return new StatisticsFile(model, data, new CalibrationStatistics(tensors));
  }

  private static TensorStatistics readTensor(DataInputStream in) throws IOException {
    var range = new ValueRange(in.readFloat(), in.readFloat());
    int parts = in.readByte();
    if ((parts & ~(HISTOGRAM | CHANNELS | IGNORED | PRODUCTS)) != 0) {
      throw new IOException(DAMAGED);
    }
    return new TensorStatistics(
        range,
        (parts & HISTOGRAM) == 0 ? Optional.empty() : Optional.of(readHistogram(in, range)),
        (parts & CHANNELS) == 0 ? Optional.empty() : Optional.of(readChannels(in)),
        (parts & IGNORED) == 0 ? 0 : in.readLong(),
        (parts & PRODUCTS) == 0 ? Optional.empty() : Optional.of(readProducts(in)));
  }

  private static Gram readProducts(DataInputStream in) throws IOException {
    int size = in.readInt();
    boolean isDiagonal = in.readBoolean();
    long count = in.readLong();
    if (size < 1) {
      throw new IOException(DAMAGED);
    }
    long sums = isDiagonal ? size : Gram.bytes(size) / Double.BYTES;
    return Gram.of(size, isDiagonal, count, readDoubles(in, sums));
  }

  /** Reads as many as there are, so that a wrong count ends with the file and not with memory. */
  private static double[] readDoubles(DataInputStream in, long count) throws IOException {
    if (count > Integer.MAX_VALUE - 8) {
      throw new IOException(DAMAGED);
    }
    double[] values = new double[(int) Math.min(count, FIRST_FLOATS)];
    for (int i = 0; i < count; i++) {
      if (i == values.length) {
        values = Arrays.copyOf(values, (int) Math.min(count, 2L * i));
      }
      values[i] = in.readDouble();
    }
    return values;
  }

  private static Histogram readHistogram(DataInputStream in, ValueRange range) throws IOException {
    int exponent = in.readInt();
    long[] counts = new long[2 * Histogram.BINS + 1];
    for (int i = 0; i < counts.length; i++) {
      counts[i] = in.readLong();
    }
    return Histogram.of(exponent, counts, range);
  }

  private static ChannelStatistics readChannels(DataInputStream in) throws IOException {
    int channels = in.readInt();
    if (channels < 1) {
      throw new IOException(DAMAGED);
    }
    float[] mins = readFloats(in, channels);
    float[] maxs = readFloats(in, channels);
    List<float[]> rows = new ArrayList<>();
    for (int left = in.readInt(); left > 0; left--) {
      rows.add(readFloats(in, channels));
    }
    return ChannelStatistics.of(mins, maxs, rows);
  }

  /** Reads as many as there are, so that a wrong count ends with the file and not with memory. */
  private static float[] readFloats(DataInputStream in, int count) throws IOException {
    float[] values = new float[Math.min(count, FIRST_FLOATS)];
    for (int i = 0; i < count; i++) {
      if (i == values.length) {
        values = Arrays.copyOf(values, (int) Math.min(count, 2L * i));
      }
      values[i] = in.readFloat();
    }
    return values;
  }

  private static CalibrationException unreadable(Path file, String why, Exception cause) {
    return new CalibrationException(
        "%s is not a valid statistics file: %s; remove it, or name another file"
            .formatted(file, why),
        cause);
  }

  /**
   * Tries whether a file can be written, before anything is observed that would be lost.
   *
   * @throws KvantException if it cannot be
   */
  static void checkWritable(Path file) {
    inPlace(file, temporary -> false);
  }

  /**
   * Writes a file, whole or not at all. Equal statistics give equal bytes.
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
      throw new KvantException("%s cannot name a statistics file".formatted(file));
    }
    try (var transaction = ArtifactTransaction.begin(folder)) {
      if (filling.fill(transaction.create(name.toString()))) {
        transaction.commit();
      }
    } catch (QuantizationCancelledException e) {
      throw e;
    } catch (IOException | KvantException e) {
      throw new KvantException(
          "the statistics file %s cannot be written: %s".formatted(file, e.getMessage()), e);
    }
  }

  private void write(CheckedOutputStream checked) throws IOException {
    var out = new DataOutputStream(checked);
    out.write(MAGIC);
    out.writeUTF(model);
    out.writeInt(data.size());
    for (String each : data) {
      out.writeUTF(each);
    }
    out.writeInt(statistics.tensors().size());
    for (Map.Entry<String, Optional<TensorStatistics>> tensor : statistics.tensors().entrySet()) {
      out.writeUTF(tensor.getKey());
      out.writeBoolean(tensor.getValue().isPresent());
      if (tensor.getValue().isPresent()) {
        write(tensor.getValue().get(), out);
      }
    }
    out.writeLong(checked.getChecksum().getValue());
  }

  private static void write(TensorStatistics tensor, DataOutputStream out) throws IOException {
    out.writeFloat(tensor.range().min());
    out.writeFloat(tensor.range().max());
    out.writeByte(
        (tensor.histogram().isPresent() ? HISTOGRAM : 0)
            | (tensor.channels().isPresent() ? CHANNELS : 0)
            | (tensor.ignored() > 0 ? IGNORED : 0)
            | (tensor.products().isPresent() ? PRODUCTS : 0));
    if (tensor.histogram().isPresent()) {
      Histogram histogram = tensor.histogram().get();
      out.writeInt(histogram.exponent());
      for (long count : histogram.counts()) {
        out.writeLong(count);
      }
    }
    if (tensor.channels().isPresent()) {
      write(tensor.channels().get(), out);
    }
    if (tensor.ignored() > 0) {
      out.writeLong(tensor.ignored());
    }
    if (tensor.products().isPresent()) {
      Gram products = tensor.products().get();
      out.writeInt(products.size());
      out.writeBoolean(products.isDiagonal());
      out.writeLong(products.count());
      for (double sum : products.sums()) {
        out.writeDouble(sum);
      }
    }
  }

  private static void write(ChannelStatistics channels, DataOutputStream out) throws IOException {
    out.writeInt(channels.channels());
    for (int channel = 0; channel < channels.channels(); channel++) {
      out.writeFloat(channels.range(channel).min());
    }
    for (int channel = 0; channel < channels.channels(); channel++) {
      out.writeFloat(channels.range(channel).max());
    }
    List<float[]> rows = channels.rows();
    out.writeInt(rows.size());
    for (float[] row : rows) {
      for (float value : row) {
        out.writeFloat(value);
      }
    }
  }
}
