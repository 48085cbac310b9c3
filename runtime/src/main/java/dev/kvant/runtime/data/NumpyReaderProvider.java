package dev.kvant.runtime.data;

import dev.kvant.api.DataException;
import dev.kvant.api.Internal;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.DataReaderDescriptor;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.DataRequest;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.RegularFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Reads NumPy's {@code .npz} and {@code .npy} files and folders of them.
 *
 * @since 0.1.0
 */
@Internal
public final class NumpyReaderProvider implements DataReaderProvider {

  static final String SHARED = "shared";

  /** For {@link java.util.ServiceLoader}. */
  public NumpyReaderProvider() {}

  @Override
  public DataReaderDescriptor descriptor() {
    return new DataReaderDescriptor(
        "numpy",
        "Reads .npz and .npy files and folders of them, arrays named as the model's inputs.",
        List.of(
            OptionDescriptor.of(
                SHARED,
                OptionDescriptor.Type.LIST_OF_STRINGS,
                "The arrays that hold for all samples alike; single values always do.")));
  }

  @Override
  public boolean recognizes(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      return !files(path).isEmpty();
    }
    if (isNamedAsOne(path)) {
      return true;
    }
    try (InputStream in = RegularFile.stream(path)) {
      byte[] start = in.readNBytes(8);
      return NpyHeader.isAt(start)
          || (start.length >= 4
              && start[0] == 'P'
              && start[1] == 'K'
              && start[2] == 3
              && start[3] == 4);
    }
  }

  private static boolean isNamedAsOne(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return name.endsWith(".npz") || name.endsWith(".npy");
  }

  /** The files of a folder, in the order of their names. */
  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(NumpyReaderProvider::isNamedAsOne)
          .filter(Files::isRegularFile)
          .sorted()
          .toList();
    }
  }

  @Override
  public DataReader open(DataRequest request) throws IOException {
    Path path = request.path();
    if (!Files.isDirectory(path)) {
      return NumpyReader.open(path, request);
    }
    List<Path> files = files(path);
    if (files.isEmpty()) {
      throw new DataException("there is no file in %s that ends in .npz or .npy".formatted(path));
    }
    return new FolderReader(files, file -> NumpyReader.open(file, request));
  }
}
