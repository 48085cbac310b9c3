package dev.kvant.runtime.calibration;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.Internal;
import dev.kvant.api.NonFiniteValues;
import dev.kvant.api.TensorBatch;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.OptionalLong;

/**
 * Data that takes its SHA-256 as it is walked through.
 *
 * @since 0.1.0
 */
@Internal
public final class DataFingerprint implements CalibrationDataset {

  private final CalibrationDataset data;
  private MessageDigest digest = digest();

  /**
   * @param data what is walked through
   */
  public DataFingerprint(CalibrationDataset data) {
    this.data = data;
  }

  /** The fingerprint of all batches of a data set. */
  public static String of(CalibrationDataset data) {
    DataFingerprint marked = new DataFingerprint(data);
    marked.forEach(batch -> {});
    return marked.value();
  }

  /** The SHA-256 of a text, in hexadecimal digits. */
  public static String ofText(String text) {
    return HexFormat.of().formatHex(digest().digest(text.getBytes(StandardCharsets.UTF_8)));
  }

  @Override
  public OptionalLong batches() {
    return data.batches();
  }

  @Override
  public NonFiniteValues nonFinite() {
    return data.nonFinite();
  }

  @Override
  public Iterator<TensorBatch> iterator() {
    digest = digest();
    Iterator<TensorBatch> batches = data.iterator();
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return batches.hasNext();
      }

      @Override
      public TensorBatch next() {
        TensorBatch batch = batches.next();
        add(batch);
        return batch;
      }
    };
  }

  private void add(TensorBatch batch) {
    batch
        .inputs()
        .forEach(
            (name, tensor) -> {
              digest.update(
                  "%s %s %s\n"
                      .formatted(name, tensor.elementType(), tensor.shape())
                      .getBytes(StandardCharsets.UTF_8));
              digest.update(tensor.data());
            });
  }

  /** The fingerprint of all batches since the last walk began, in hexadecimal digits. */
  public String value() {
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Begins a SHA-256. */
  public static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
