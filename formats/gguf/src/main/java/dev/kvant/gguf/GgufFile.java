package dev.kvant.gguf;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.Printable;
import dev.kvant.kit.ContiguousTensor;
import dev.kvant.spi.ByteSource;
import dev.kvant.spi.ModelFile;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * One GGUF file of version 2 or 3, little-endian: counts, metadata, descriptions of tensors, the
 * tensors. Only what describes tensors is held in memory; values of metadata and tensors are read
 * where they are.
 *
 * <p>As strict as llama.cpp: names and keys must be unique, and tensors must follow each other in
 * the order of their descriptions, each at the next multiple of the alignment.
 *
 * @since 0.1.0
 */
public final class GgufFile implements AutoCloseable {

  /** What a file begins with, as a little-endian number. */
  static final int MAGIC = 0x46554747;

  /** The version that is written. */
  static final int VERSION = 3;

  /** Where tensors begin, unless the metadata says otherwise: at a multiple of this. */
  static final int DEFAULT_ALIGNMENT = 32;

  /** The key of the metadata for {@link #alignment()}. */
  static final String ALIGNMENT = "general.alignment";

  /** The metadata of the parts of a model in several files. */
  private static final String PARTS = "split.count";

  private static final int MAX_ALIGNMENT = 1 << 16;
  private static final int OLDEST_VERSION = 2;
  private static final int MAX_DIMENSIONS = 4;
  private static final int MAX_KEY = 65_535;
  private static final int MAX_NAME = 64;

  /** A key of no bytes, a type and a value of a byte. */
  private static final int SMALLEST_ENTRY = Long.BYTES + Integer.BYTES + 1;

  /** A name of no bytes, the number of dimensions, the type and the offset. */
  private static final int SMALLEST_TENSOR = Long.BYTES + 2 * Integer.BYTES + Long.BYTES;

  private final ModelFile file;
  private final Map<String, GgufEntry> metadata;
  private final int alignment;
  private final Map<String, ContiguousTensor> tensors;

  private GgufFile(
      ModelFile file,
      Map<String, GgufEntry> metadata,
      int alignment,
      Map<String, ContiguousTensor> tensors) {
    this.file = file;
    this.metadata = Collections.unmodifiableMap(metadata);
    this.alignment = alignment;
    this.tensors = Collections.unmodifiableMap(tensors);
  }

  /**
   * Opens a file.
   *
   * @throws ModelFormatException if it cannot be read, is damaged, or is a part of a model
   */
  public static GgufFile open(Path path) {
    ModelFile file = ModelFile.open(path);
    try {
      return new Header(file).read();
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** The file. */
  public Path path() {
    return file.path();
  }

  /** The metadata by key, in the order of the file. */
  public Map<String, GgufEntry> metadata() {
    return metadata;
  }

  /** What the offsets of tensors are multiples of, in bytes: a power of two. */
  public int alignment() {
    return alignment;
  }

  /** The tensors by name, in the order of the file; dimensions are outermost first. */
  public Map<String, ContiguousTensor> tensors() {
    return tensors;
  }

  @Override
  public void close() {
    file.close();
  }

  /** How many bytes follow up to a multiple of an alignment. */
  static long padding(long position, int alignment) {
    return -position & (alignment - 1L);
  }

  private static final class Header {

    private final ModelFile file;
    private final HeaderReader reader;

    Header(ModelFile file) {
      this.file = file;
      this.reader = new HeaderReader(file, this::damaged);
    }

    GgufFile read() {
      if (reader.int32("the magic number") != MAGIC) {
        throw damaged("it does not begin with GGUF");
      }
      checkVersion(reader.int32("the version"));
      long tensorCount = reader.count("tensors", SMALLEST_TENSOR);
      long entryCount = reader.count("entries of metadata", SMALLEST_ENTRY);
      Map<String, GgufEntry> metadata = new LinkedHashMap<>();
      for (long i = 0; i < entryCount; i++) {
        GgufEntry entry = entry();
        if (metadata.put(entry.key(), entry) != null) {
          throw damaged("two entries of metadata are named '%s'".formatted(entry.key()));
        }
      }
      checkIsWhole(metadata.get(PARTS));
      int alignment = alignment(metadata.get(ALIGNMENT));
      List<Description> descriptions = new ArrayList<>();
      for (long i = 0; i < tensorCount; i++) {
        descriptions.add(description());
      }
      return new GgufFile(file, metadata, alignment, tensors(descriptions, alignment));
    }

    private void checkVersion(int version) {
      int reversed = Integer.reverseBytes(version);
      if (reversed >= 1 && reversed <= VERSION) {
        throw damaged("it is big-endian; only little-endian files are read");
      }
      if (version < OLDEST_VERSION || version > VERSION) {
        throw damaged(
            "it has the version %s of the format (supported: %d and %d)"
                .formatted(Integer.toUnsignedString(version), OLDEST_VERSION, VERSION));
      }
    }

    private GgufEntry entry() {
      String key = text("a key of the metadata", MAX_KEY);
      long number = reader.uint32("the type of '%s'".formatted(key));
      GgufValueType type =
          GgufValueType.of(number)
              .orElseThrow(() -> damaged("'%s' has the unknown type %d".formatted(key, number)));
      long start = reader.position();
      skip(key, type);
      return new GgufEntry(key, type, file.slice(start, reader.position() - start));
    }

    private void skip(String key, GgufValueType type) {
      String what = "the value of '%s'".formatted(key);
      if (type == GgufValueType.STRING) {
        reader.skip(reader.count("bytes in " + what, 1), what);
      } else if (type != GgufValueType.ARRAY) {
        reader.skip(type.bytes(), what);
      } else {
        long number = reader.uint32("the type of the elements of '%s'".formatted(key));
        GgufValueType elements =
            GgufValueType.of(number)
                .filter(known -> known != GgufValueType.ARRAY)
                .orElseThrow(
                    () ->
                        damaged(
                            "'%s' is an array of the unsupported type %d".formatted(key, number)));
        boolean isText = elements == GgufValueType.STRING;
        long count = reader.count("elements in " + what, isText ? Long.BYTES : elements.bytes());
        if (!isText) {
          reader.skip(count * elements.bytes(), what);
          return;
        }
        for (long i = 0; i < count; i++) {
          reader.skip(reader.count("bytes in an element of " + what, 1), what);
        }
      }
    }

    private void checkIsWhole(@Nullable GgufEntry parts) {
      OptionalLong count = parts == null ? OptionalLong.empty() : parts.integer();
      if (count.isPresent() && count.getAsLong() > 1) {
        throw new ModelFormatException(
            "%s is one of %d parts of a model; merge them with 'llama-gguf-split --merge'"
                .formatted(file.path(), count.getAsLong()));
      }
    }

    private int alignment(@Nullable GgufEntry entry) {
      if (entry == null) {
        return DEFAULT_ALIGNMENT;
      }
      long alignment = entry.type() == GgufValueType.UINT32 ? entry.integer().orElse(0) : 0;
      if (alignment > MAX_ALIGNMENT || Long.bitCount(alignment) != 1) {
        throw damaged("its %s is not a power of two up to %d".formatted(ALIGNMENT, MAX_ALIGNMENT));
      }
      return (int) alignment;
    }

    /**
     * What the header says of a tensor.
     *
     * @param shape outermost first; the file has it the other way round
     * @param offset where its bytes are, from the first tensor on
     */
    private record Description(String name, List<Long> shape, GgufType type, long offset) {}

    private Description description() {
      String name = text("the name of a tensor", MAX_NAME);
      long dimensions = reader.uint32("the dimensions of '%s'".formatted(name));
      if (dimensions > MAX_DIMENSIONS) {
        throw damaged(
            "tensor '%s' has %d dimensions; at most %d are possible"
                .formatted(name, dimensions, MAX_DIMENSIONS));
      }
      List<Long> shape = new ArrayList<>();
      for (long i = 0; i < dimensions; i++) {
        shape.add(0, reader.int64("the dimensions of '%s'".formatted(name)));
      }
      long number = reader.uint32("the type of '%s'".formatted(name));
      GgufType type =
          GgufType.of(number)
              .orElseThrow(
                  () -> damaged("tensor '%s' has the unknown type %d".formatted(name, number)));
      return new Description(name, shape, type, reader.int64("the offset of '%s'".formatted(name)));
    }

    private Map<String, ContiguousTensor> tensors(List<Description> descriptions, int alignment) {
      Map<String, ContiguousTensor> tensors = new LinkedHashMap<>();
      long start = reader.position() + padding(reader.position(), alignment);
      long expected = 0;
      long end = 0;
      for (Description description : descriptions) {
        long bytes = bytes(description);
        if (description.offset() != expected) {
          throw damaged(
              "tensor '%s' starts at byte %s of the data instead of byte %d; tensors must neither overlap nor leave gaps"
                  .formatted(
                      description.name(), Long.toUnsignedString(description.offset()), expected));
        }
        if (bytes > file.size() - start - expected) {
          throw damaged(
              "tensor '%s' of %d bytes at byte %d exceeds the file size %d"
                  .formatted(description.name(), bytes, start + expected, file.size()));
        }
        if (tensors.put(description.name(), tensor(description, bytes, start + expected)) != null) {
          throw damaged("two tensors are named '%s'".formatted(description.name()));
        }
        end = expected + bytes;
        expected = end + padding(end, alignment);
      }
      // Not all writers pad the last tensor.
      if (file.size() != start + end && file.size() != start + expected && !tensors.isEmpty()) {
        throw damaged(
            "its tensors end at byte %d, padded at byte %d, and it has %d bytes"
                .formatted(start + end, start + expected, file.size()));
      }
      return tensors;
    }

    /** The size of a tensor. */
    private long bytes(Description tensor) {
      ElementType type = tensor.type().elementType();
      List<Long> shape = tensor.shape();
      long row = shape.isEmpty() ? 1 : shape.get(shape.size() - 1);
      try {
        if (shape.stream().allMatch(extent -> extent >= 0) && row % type.blockElements() == 0) {
          return type.bytes(shape.stream().reduce(1L, Math::multiplyExact));
        }
      } catch (ArithmeticException e) {
        // No file has as many.
      }
      throw damaged(
          "tensor '%s' cannot have the shape %s of %s".formatted(tensor.name(), shape, type));
    }

    private ContiguousTensor tensor(Description description, long bytes, long position) {
      ByteSource content = file.slice(position, bytes);
      return ContiguousTensor.of(
          description.name(),
          description.type().elementType(),
          description.shape(),
          bytes,
          content::read);
    }

    private String text(String what, int limit) {
      try {
        return reader.text(what, limit);
      } catch (CharacterCodingException e) {
        throw damaged(what + " is not UTF-8", e);
      }
    }

    private ModelFormatException damaged(String what) {
      return damaged(what, null);
    }

    private ModelFormatException damaged(String what, @Nullable Exception cause) {
      Objects.requireNonNull(what, "what");
      return new ModelFormatException(
          "%s is not a valid GGUF file: %s; download or convert it again"
              .formatted(file.path(), Printable.shortened(what)),
          cause);
    }
  }
}
