package dev.kvant.runtime.data;

import dev.kvant.api.DataException;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.DataRequest;
import dev.kvant.spi.RegularFile;
import dev.kvant.spi.SampleBlock;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/**
 * The samples of one {@code .npz} file, or of one {@code .npy} file, whose array is called {@code
 * input}.
 */
final class NumpyReader implements DataReader {

  private static final String SUFFIX = ".npy";

  private final @Nullable ZipFile archive;
  private final Map<String, NpyArray> arrays;
  private final SampleAxes axes;
  private final Map<String, Tensor> shared = new LinkedHashMap<>();
  private long read;

  private NumpyReader(
      @Nullable ZipFile archive, Map<String, NpyArray> arrays, Path file, DataRequest request)
      throws IOException {
    this.archive = archive;
    this.arrays = arrays;
    Map<String, List<Long>> shapes = new LinkedHashMap<>();
    arrays.forEach((name, array) -> shapes.put(name, array.shape()));
    this.axes =
        SampleAxes.of(
            shapes,
            request.options().texts(NumpyReaderProvider.SHARED),
            request.inputs(),
            file.toString());
    for (Map.Entry<String, NpyArray> array : arrays.entrySet()) {
      if (axes.shared().contains(array.getKey())) {
        shared.put(array.getKey(), array.getValue().whole());
      }
    }
  }

  /**
   * Opens a file; its content tells which of the two it is.
   *
   * @throws DataException if it is neither, or damaged
   */
  static NumpyReader open(Path file, DataRequest request) throws IOException {
    byte[] start;
    try (InputStream in = RegularFile.stream(file)) {
      start = in.readNBytes(8);
    }
    if (NpyHeader.isAt(start)) {
      NpyArray array = new NpyArray(RegularFile.stream(file), file.toString());
      try {
        return new NumpyReader(null, Map.of(TensorBatch.SOLE_INPUT, array), file, request);
      } catch (IOException | RuntimeException e) {
        array.close();
        throw e;
      }
    }
    if (start.length < 2 || start[0] != 'P' || start[1] != 'K') {
      throw new DataException("%s is neither an .npz nor an .npy file".formatted(file));
    }
    return openArchive(file, request);
  }

  private static NumpyReader openArchive(Path file, DataRequest request) throws IOException {
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
      return new NumpyReader(archive, arrays, file, request);
    } catch (IOException | RuntimeException e) {
      archive.close();
      throw e;
    }
  }

  @Override
  public OptionalLong count() {
    return OptionalLong.of(axes.samples());
  }

  @Override
  public Optional<SampleBlock> next(int most) throws IOException {
    int count = (int) Math.min(most, axes.samples() - read);
    if (count <= 0) {
      return Optional.empty();
    }
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (Map.Entry<String, NpyArray> array : arrays.entrySet()) {
      if (!axes.shared().contains(array.getKey())) {
        tensors.put(array.getKey(), array.getValue().next(count));
      }
    }
    read += count;
    return Optional.of(new SampleBlock(count, tensors, shared));
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
