package dev.kvant.backend.modelopt;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.KvantException;
import dev.kvant.api.TensorBatch;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.OptionalLong;

/** Tells files and data apart by what is in them. */
final class Fingerprints {

  private Fingerprints() {}

  /** That of a file. */
  static String of(Path file) {
    MessageDigest digest = digest();
    try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
      in.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      throw new KvantException("%s cannot be read: %s".formatted(file, e), e);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Data that takes its fingerprint as it is walked through. */
  static final class Data implements CalibrationDataset {

    private final CalibrationDataset data;
    private MessageDigest digest = digest();

    Data(CalibrationDataset data) {
      this.data = data;
    }

    @Override
    public OptionalLong batches() {
      return data.batches();
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

    /** The fingerprint of all batches since the last walk began. */
    String fingerprint() {
      return HexFormat.of().formatHex(digest.digest());
    }
  }

  private static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
