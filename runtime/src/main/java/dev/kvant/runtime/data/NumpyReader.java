package dev.kvant.runtime.data;

import dev.kvant.api.DataException;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/**
 * The samples of one {@code .npz} file, whose arrays have their first axis in common, or of one
 * {@code .npy} file, whose array is called {@code input}.
 */
final class NumpyReader implements SampleReader {

  private static final String SUFFIX = ".npy";

  private final @Nullable ZipFile archive;
  private final Map<String, NpyArray> arrays;
  private final long samples;
  private long read;

  private NumpyReader(@Nullable ZipFile archive, Map<String, NpyArray> arrays, Path file) {
    this.archive = archive;
    this.arrays = arrays;
    this.samples = commonLength(arrays, file);
  }

  /**
   * Opens a file; its content tells which of the two it is.
   *
   * @throws DataException if it is neither, or damaged
   */
  static NumpyReader open(Path file) throws IOException {
    byte[] start;
    try (InputStream in = Files.newInputStream(file)) {
      start = in.readNBytes(8);
    }
    if (NpyHeader.isAt(start)) {
      NpyArray array = new NpyArray(Files.newInputStream(file), file.toString());
      return new NumpyReader(null, Map.of(TensorBatch.SOLE_INPUT, array), file);
    }
    if (start.length < 2 || start[0] != 'P' || start[1] != 'K') {
      throw new DataException("%s is neither an .npz nor an .npy file".formatted(file));
    }
    return openArchive(file);
  }

  private static NumpyReader openArchive(Path file) throws IOException {
    ZipFile archive;
    try {
      archive = new ZipFile(file.toFile());
    } catch (ZipException e) {
      throw new DataException("%s is damaged: %s".formatted(file, e.getMessage()), e);
    }
    try {
      Map<String, NpyArray> arrays = new LinkedHashMap<>();
      for (ZipEntry entry : archive.stream().toList()) {
        if (entry.getName().endsWith(SUFFIX)) {
          String name = entry.getName().substring(0, entry.getName().length() - SUFFIX.length());
          arrays.put(
              name,
              new NpyArray(
                  archive.getInputStream(entry), "array '%s' of %s".formatted(name, file)));
        }
      }
      if (arrays.isEmpty()) {
        throw new DataException("there is no array in %s".formatted(file));
      }
      return new NumpyReader(archive, arrays, file);
    } catch (IOException | RuntimeException e) {
      archive.close();
      throw e;
    }
  }

  private static long commonLength(Map<String, NpyArray> arrays, Path file) {
    String first = arrays.keySet().iterator().next();
    long length = arrays.values().iterator().next().rows();
    arrays.forEach(
        (name, array) -> {
          if (array.rows() != length) {
            throw new DataException(
                "the arrays of %s differ in length: '%s' has %d samples, '%s' has %d"
                    .formatted(file, first, length, name, array.rows()));
          }
        });
    return length;
  }

  /** How many samples the file holds. */
  long samples() {
    return samples;
  }

  @Override
  public Map<String, Tensor> next(int most) throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    if (read < samples) {
      for (Map.Entry<String, NpyArray> entry : arrays.entrySet()) {
        tensors.put(entry.getKey(), entry.getValue().next(most));
      }
      read += Math.min(most, samples - read);
    }
    return tensors;
  }

  @Override
  public void close() throws IOException {
    for (NpyArray array : arrays.values()) {
      array.close();
    }
    if (archive != null) {
      archive.close();
    }
  }
}
