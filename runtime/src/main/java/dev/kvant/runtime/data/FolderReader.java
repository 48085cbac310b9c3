package dev.kvant.runtime.data;

import dev.kvant.api.DataException;
import dev.kvant.api.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The samples of many files, one file after the other, as if they were one. Where samples of
 * another shape begin, such as longer texts, a batch ends early.
 */
final class FolderReader implements SampleReader {

  /** Opens one of the files. */
  @FunctionalInterface
  interface Opener {
    SampleReader open(Path file) throws IOException;
  }

  private final Iterator<Path> files;
  private final Opener opener;
  private @Nullable SampleReader current;
  private @Nullable Path currentFile;

  /** Samples that were read but belong into the next batch; empty if there are none. */
  private Map<String, Tensor> held = Map.of();

  FolderReader(List<Path> files, Opener opener) {
    this.files = files.iterator();
    this.opener = opener;
  }

  @Override
  public Map<String, Tensor> next(int most) throws IOException {
    List<Map<String, Tensor>> parts = new ArrayList<>();
    int missing = most;
    if (!held.isEmpty()) {
      missing -= rows(held);
      parts.add(held);
      held = Map.of();
    }
    while (missing > 0) {
      SampleReader reader = current;
      if (reader == null) {
        if (!files.hasNext()) {
          break;
        }
        Path file = files.next();
        reader = opener.open(file);
        current = reader;
        currentFile = file;
      }
      Map<String, Tensor> part = reader.next(missing);
      if (part.isEmpty()) {
        reader.close();
        current = null;
      } else if (parts.isEmpty() || isAlike(parts.get(0), part)) {
        missing -= rows(part);
        parts.add(part);
      } else {
        held = part;
        break;
      }
    }
    return joined(parts);
  }

  private static int rows(Map<String, Tensor> part) {
    return Math.toIntExact(part.values().iterator().next().shape().get(0));
  }

  /** Whether samples have the shapes of earlier ones; names and types they must have. */
  private boolean isAlike(Map<String, Tensor> first, Map<String, Tensor> part) {
    if (!first.keySet().equals(part.keySet())) {
      throw new DataException(
          "%s has the arrays %s, and files before it %s"
              .formatted(currentFile, part.keySet(), first.keySet()));
    }
    boolean isAlike = true;
    for (Map.Entry<String, Tensor> entry : part.entrySet()) {
      Tensor before = tensor(first, entry.getKey());
      Tensor tensor = entry.getValue();
      if (!before.elementType().equals(tensor.elementType())) {
        throw new DataException(
            "'%s' of %s holds %s, and files before it %s"
                .formatted(
                    entry.getKey(), currentFile, tensor.elementType(), before.elementType()));
      }
      isAlike &= sampleShape(before).equals(sampleShape(tensor));
    }
    return isAlike;
  }

  private static Tensor tensor(Map<String, Tensor> tensors, String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new IllegalStateException("'" + name + "' was checked to be there");
    }
    return tensor;
  }

  private static List<Long> sampleShape(Tensor tensor) {
    return tensor.shape().subList(1, tensor.shape().size());
  }

  private static Map<String, Tensor> joined(List<Map<String, Tensor>> parts) {
    if (parts.size() < 2) {
      return parts.isEmpty() ? Map.of() : parts.get(0);
    }
    Map<String, Tensor> joined = new LinkedHashMap<>();
    for (String name : parts.get(0).keySet()) {
      joined.put(name, joined(parts.stream().map(part -> tensor(part, name)).toList(), name));
    }
    return joined;
  }

  /** Row-major tensors one below the other are their bytes one behind the other. */
  private static Tensor joined(List<Tensor> tensors, String name) {
    int bytes = 0;
    long rows = 0;
    try {
      for (Tensor tensor : tensors) {
        bytes = Math.addExact(bytes, tensor.data().remaining());
        rows += tensor.shape().get(0);
      }
    } catch (ArithmeticException e) {
      throw new DataException(
          "a batch of '%s' does not fit into memory; use a smaller one".formatted(name), e);
    }
    ByteBuffer data = ByteBuffer.allocate(bytes);
    tensors.forEach(tensor -> data.put(tensor.data()));
    List<Long> shape = new ArrayList<>(tensors.get(0).shape());
    shape.set(0, rows);
    return Tensor.of(tensors.get(0).elementType(), shape, data.flip());
  }

  @Override
  public void close() throws IOException {
    if (current != null) {
      current.close();
      current = null;
    }
  }
}
