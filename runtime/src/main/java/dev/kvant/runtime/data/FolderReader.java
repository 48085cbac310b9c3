package dev.kvant.runtime.data;

import dev.kvant.api.DataException;
import dev.kvant.api.ElementType;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.SampleBlock;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The samples of many files, one file after the other, all with the same arrays. */
final class FolderReader implements DataReader {

  /** Opens one of the files. */
  @FunctionalInterface
  interface Opener {
    DataReader open(Path file) throws IOException;
  }

  private final Iterator<Path> files;
  private final Opener opener;
  private @Nullable DataReader current;
  private @Nullable Path currentFile;

  /** The types of the arrays of the first file, by name; null before it is read. */
  private @Nullable Map<String, ElementType> types;

  FolderReader(List<Path> files, Opener opener) {
    this.files = files.iterator();
    this.opener = opener;
  }

  @Override
  public OptionalLong count() {
    return OptionalLong.empty();
  }

  @Override
  public Optional<SampleBlock> next(int most) throws IOException {
    while (true) {
      DataReader reader = current;
      if (reader == null) {
        if (!files.hasNext()) {
          return Optional.empty();
        }
        currentFile = files.next();
        current = opener.open(currentFile);
        continue;
      }
      Optional<SampleBlock> block = reader.next(most);
      if (block.isPresent()) {
        checkAlike(block.get());
        return block;
      }
      reader.close();
      current = null;
    }
  }

  private void checkAlike(SampleBlock block) {
    Map<String, ElementType> found = new TreeMap<>();
    block.tensors().forEach((name, tensor) -> found.put(name, tensor.elementType()));
    block.shared().forEach((name, tensor) -> found.put(name, tensor.elementType()));
    Map<String, ElementType> before = types;
    if (before == null) {
      types = found;
      return;
    }
    if (!before.keySet().equals(found.keySet())) {
      throw new DataException(
          "%s has the arrays %s, and files before it %s"
              .formatted(currentFile, found.keySet(), before.keySet()));
    }
    for (Map.Entry<String, ElementType> array : found.entrySet()) {
      ElementType other = before.get(array.getKey());
      if (!array.getValue().equals(other)) {
        throw new DataException(
            "'%s' of %s holds %s, and files before it %s"
                .formatted(array.getKey(), currentFile, array.getValue(), other));
      }
    }
  }

  @Override
  public void close() throws IOException {
    if (current != null) {
      current.close();
      current = null;
    }
  }
}
