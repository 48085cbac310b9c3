package dev.kvant.runtime.data;

import dev.kvant.api.DataException;
import dev.kvant.api.ImageConfig;
import dev.kvant.api.Internal;
import dev.kvant.api.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Samples on disk, read batch by batch: an {@code .npz} or {@code .npy} file, a folder of such, or
 * a folder of images.
 *
 * @since 0.1.0
 */
@Internal
public final class Samples implements AutoCloseable {

  /** The array that holds right answers instead of inputs. */
  public static final String LABEL = "label";

  private static final Set<String> NUMPY = Set.of("npz", "npy");
  private static final Set<String> IMAGES = Set.of("png", "jpg", "jpeg", "bmp", "gif");

  private final Path path;
  private final SampleReader reader;

  private Samples(Path path, SampleReader reader) {
    this.path = path;
    this.reader = reader;
  }

  /**
   * Opens what is there. The caller closes it.
   *
   * @param path the file or folder
   * @param images how images become tensors, or null if there are none
   * @throws DataException if there is nothing that can be read
   */
  public static Samples open(Path path, @Nullable ImageConfig images) {
    Objects.requireNonNull(path, "path");
    if (!Files.exists(path)) {
      throw new DataException("the data %s does not exist".formatted(path));
    }
    try {
      return new Samples(
          path, Files.isDirectory(path) ? folder(path, images) : NumpyReader.open(path));
    } catch (IOException e) {
      throw new DataException("%s cannot be read: %s".formatted(path, e), e);
    }
  }

  private static SampleReader folder(Path folder, @Nullable ImageConfig images) throws IOException {
    if (images != null) {
      return new FolderReader(files(folder, IMAGES), file -> new ImageReader(file, images));
    }
    return new FolderReader(files(folder, NUMPY), NumpyReader::open);
  }

  private static List<Path> files(Path folder, Set<String> extensions) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      List<Path> files =
          entries
              .filter(Files::isRegularFile)
              .filter(file -> extensions.contains(extension(file)))
              .sorted()
              .toList();
      if (files.isEmpty()) {
        throw new DataException(
            "there is no file in %s that ends in one of %s%s"
                .formatted(
                    folder,
                    String.join(", ", extensions.stream().sorted().toList()),
                    extensions.equals(NUMPY)
                        ? "; for images, say in calibration.images how they become tensors"
                        : ""));
      }
      return files;
    }
  }

  private static String extension(Path file) {
    String name = file.getFileName().toString();
    return name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
  }

  /**
   * The next samples: tensors by name, all with as many rows; empty at the end.
   *
   * @param size how many samples, fewer at the end
   * @throws DataException if they cannot be read
   */
  public Map<String, Tensor> next(int size) {
    if (size < 1) {
      throw new IllegalArgumentException("size: must be at least 1, was " + size);
    }
    try {
      return reader.next(size);
    } catch (IOException e) {
      throw new DataException("%s cannot be read: %s".formatted(path, e), e);
    }
  }

  /** Closes the files. A second call does nothing. */
  @Override
  public void close() {
    try {
      reader.close();
    } catch (IOException e) {
      throw new DataException("%s cannot be closed: %s".formatted(path, e), e);
    }
  }
}
