package dev.kvant.torch.tensor;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.Printable;
import dev.kvant.spi.ByteSource;
import dev.kvant.spi.ModelFile;
import dev.kvant.torch.pickle.PickleBool;
import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleInt;
import dev.kvant.torch.pickle.PickleList;
import dev.kvant.torch.pickle.PickleReader;
import dev.kvant.torch.pickle.PickleText;
import dev.kvant.torch.pickle.PickleValue;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * A checkpoint as torch wrote it before version 1.6, and still writes it with {@code
 * _use_new_zipfile_serialization=False}: five pickles, one after the other, then the storages.
 *
 * <p>The pickles are a magic number, the version 1001, the properties of the machine, the object
 * with references to storages, and the list of the storages' keys. Of each storage follow, in the
 * order of that list, the number of elements as int64 and the elements, little-endian.
 *
 * <p>No pickle is executed, and storages stay on disk.
 *
 * @since 0.1.0
 */
public final class LegacyCheckpoint implements AutoCloseable {

  private static final long VERSION = 1001;

  /** How much of the file is read first in search of the end of a pickle. */
  private static final int FIRST_WINDOW = 1 << 16;

  /** Element sizes in bytes of storages that Kvant does not read, but must step over. */
  private static final Map<String, Integer> OTHER_STORAGES =
      Map.of(
          "ComplexHalfStorage", 4,
          "ComplexFloatStorage", 8,
          "ComplexDoubleStorage", 16,
          "QInt8Storage", 1,
          "QUInt8Storage", 1,
          "QUInt4x2Storage", 1,
          "QUInt2x4Storage", 1,
          "QInt32Storage", 4);

  /** The bytes of a storage. */
  private record Storage(String key, Path path, ByteSource content) implements ByteSource {

    @Override
    public long size() {
      return content.size();
    }

    @Override
    public void read(long position, ByteBuffer target) {
      content.read(position, target);
    }

    @Override
    public String toString() {
      return "storage '%s' of %s".formatted(Printable.shortened(key), path);
    }
  }

  private final ModelFile file;
  private final PickleValue root;
  private final Map<String, ByteSource> storages;

  private LegacyCheckpoint(ModelFile file, PickleValue root, Map<String, ByteSource> storages) {
    this.file = file;
    this.root = root;
    this.storages = storages;
  }

  /**
   * Opens a file.
   *
   * @throws ModelFormatException if it cannot be read, is damaged, or comes from a big-endian
   *     machine
   */
  public static LegacyCheckpoint open(Path path) {
    return open(ModelFile.open(path));
  }

  /**
   * Reads an open file, which is closed with the result, or at once where it is damaged.
   *
   * @throws ModelFormatException as {@link #open(Path)} does
   */
  public static LegacyCheckpoint open(ModelFile file) {
    try {
      return new Content(file).read();
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** The object that was saved. */
  public PickleValue root() {
    return root;
  }

  /** Finds the tensors that the nodes of its pickle describe. */
  public ArchiveTensors tensors() {
    return new ArchiveTensors(file.path(), this::storage);
  }

  private ByteSource storage(String key) {
    ByteSource storage = storages.get(key);
    if (storage == null) {
      throw new ModelFormatException(
          "%s has no storage '%s'; the file is damaged"
              .formatted(file.path(), Printable.shortened(key)));
    }
    return storage;
  }

  @Override
  public void close() {
    file.close();
  }

  /** Reads the file from its start to its end. */
  private static final class Content {

    private final ModelFile file;
    private long position;

    Content(ModelFile file) {
      this.file = file;
    }

    LegacyCheckpoint read() {
      pickle("its magic number");
      PickleValue version = pickle("its version");
      if (!version.equals(PickleInt.of(VERSION))) {
        throw damaged("its version is not %d".formatted(VERSION));
      }
      checkByteOrder(pickle("the properties of its machine"));
      PickleValue root = pickle("its object");
      if (!(pickle("the keys of its storages") instanceof PickleList keys)) {
        throw damaged("the keys of its storages are no list");
      }
      Map<String, PickleGlobal> classes = StorageReferences.classes(root);
      Map<String, ByteSource> storages = new HashMap<>();
      for (PickleValue key : keys.items()) {
        if (!(key instanceof PickleText name)) {
          throw damaged("the key of a storage is no text");
        }
        PickleGlobal type = classes.get(name.value());
        if (type == null) {
          throw damaged(
              "storage '%s' is of no tensor".formatted(Printable.shortened(name.value())));
        }
        if (storages.put(name.value(), storage(name.value(), type)) != null) {
          throw damaged("storage '%s' comes twice".formatted(Printable.shortened(name.value())));
        }
      }
      return new LegacyCheckpoint(file, root, storages);
    }

    private void checkByteOrder(PickleValue properties) {
      if (properties instanceof PickleDict dict
          && dict.get("little_endian").filter(new PickleBool(false)::equals).isPresent()) {
        throw new ModelFormatException(
            "%s is big-endian, but Kvant reads little-endian files only; save it again on a little-endian machine"
                .formatted(file.path()));
      }
    }

    private Storage storage(String key, PickleGlobal type) {
      OptionalInt size = elementBytes(type);
      if (size.isEmpty()) {
        throw new ModelFormatException(
            "%s: storage '%s' is of the unknown class %s, so that what follows it cannot be found; save the file again with a newer version of torch"
                .formatted(
                    file.path(),
                    Printable.shortened(key),
                    Printable.shortened(type.qualifiedName())));
      }
      if (file.size() - position < Long.BYTES) {
        throw damaged("it ends before storage '%s'".formatted(Printable.shortened(key)));
      }
      ByteBuffer count = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      file.read(position, count);
      position += Long.BYTES;
      long elements = count.flip().getLong();
      if (elements < 0 || elements > (file.size() - position) / size.getAsInt()) {
        throw damaged(
            "storage '%s' has %d elements of %d bytes, but %d bytes are left"
                .formatted(
                    Printable.shortened(key), elements, size.getAsInt(), file.size() - position));
      }
      long bytes = elements * size.getAsInt();
      ByteSource content = file.slice(position, bytes);
      position += bytes;
      return new Storage(key, file.path(), content);
    }

    private static OptionalInt elementBytes(PickleGlobal type) {
      if (type.equals(TorchTypes.UNTYPED_STORAGE)) {
        return OptionalInt.of(1);
      }
      Integer other = type.module().equals("torch") ? OTHER_STORAGES.get(type.name()) : null;
      return other != null
          ? OptionalInt.of(other)
          : TorchTypes.ofStorage(type)
              .map(ElementType::bytes)
              .map(OptionalInt::of)
              .orElse(OptionalInt.empty());
    }

    /** The next pickle. How long it is only reading tells, so more and more is read. */
    private PickleValue pickle(String what) {
      String where = "%s: %s".formatted(file.path(), what);
      long most = Math.min(file.size() - position, PickleReader.MAX_BYTES);
      for (long window = FIRST_WINDOW; ; window *= 2) {
        ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(window, most));
        file.read(position, bytes);
        bytes.flip();
        try {
          PickleValue value = PickleReader.readNext(bytes, where);
          position += bytes.position();
          return value;
        } catch (ModelFormatException e) {
          if (window >= most) {
            throw e;
          }
        }
      }
    }

    private ModelFormatException damaged(String what) {
      return new ModelFormatException(
          "%s is a damaged checkpoint of torch before version 1.6: %s; copy or download it again"
              .formatted(file.path(), what));
    }
  }
}
