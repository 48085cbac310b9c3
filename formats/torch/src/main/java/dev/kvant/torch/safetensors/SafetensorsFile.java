package dev.kvant.torch.safetensors;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.Printable;
import dev.kvant.spi.ModelFile;
import dev.kvant.torch.tensor.DenseTensor;
import dev.kvant.torch.tensor.TensorStorage;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One safetensors file: 8 bytes with the length of the header, the header in JSON, the tensors.
 *
 * <p>As strict as the format's own library: tensors must fill the file without gaps and overlaps,
 * their length must match type and shape, and names must be unique. Tensors are in the order of the
 * file.
 *
 * @since 0.1.0
 */
public final class SafetensorsFile implements AutoCloseable {

  /** The longest header that the format allows, in bytes. */
  static final long MAX_HEADER = 100_000_000;

  private static final String METADATA = "__metadata__";

  private static final Map<String, ElementType> TYPES =
      Map.ofEntries(
          Map.entry("F64", ElementType.FLOAT64),
          Map.entry("F32", ElementType.FLOAT32),
          Map.entry("F16", ElementType.FLOAT16),
          Map.entry("BF16", ElementType.BFLOAT16),
          Map.entry("F8_E4M3", ElementType.FLOAT8_E4M3FN),
          Map.entry("F8_E5M2", ElementType.FLOAT8_E5M2),
          Map.entry("I64", ElementType.INT64),
          Map.entry("I32", ElementType.INT32),
          Map.entry("I16", ElementType.INT16),
          Map.entry("I8", ElementType.INT8),
          Map.entry("U64", ElementType.UINT64),
          Map.entry("U32", ElementType.UINT32),
          Map.entry("U16", ElementType.UINT16),
          Map.entry("U8", ElementType.UINT8),
          Map.entry("BOOL", ElementType.BOOL));

  /** Sizes in bits of further types of the format; such tensors stay opaque. */
  private static final Map<String, Integer> OPAQUE_TYPES =
      Map.of(
          "C64", 64,
          "F8_E8M0", 8,
          "F8_E4M3FNUZ", 8,
          "F8_E5M2FNUZ", 8,
          "F6_E2M3", 6,
          "F6_E3M2", 6,
          "F4", 4);

  private final ModelFile file;
  private final Map<String, DenseTensor> tensors;
  private final List<String> opaque;

  private SafetensorsFile(ModelFile file, Map<String, DenseTensor> tensors, List<String> opaque) {
    this.file = file;
    this.tensors = Collections.unmodifiableMap(tensors);
    this.opaque = List.copyOf(opaque);
  }

  /**
   * Opens a file.
   *
   * @throws ModelFormatException if it cannot be read or is damaged
   */
  public static SafetensorsFile open(Path path) {
    return open(ModelFile.open(path));
  }

  /**
   * Reads an open file, which is closed with the result, or at once where it is damaged.
   *
   * @throws ModelFormatException as {@link #open(Path)} does
   */
  public static SafetensorsFile open(ModelFile file) {
    try {
      return new Header(file).read();
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** The tensors by name. */
  public Map<String, DenseTensor> tensors() {
    return tensors;
  }

  /** The names of tensors of unsupported types, such as complex numbers. */
  public List<String> opaque() {
    return opaque;
  }

  @Override
  public void close() {
    file.close();
  }

  private record Entry(String name, String type, List<Long> shape, long begin, long end) {

    boolean isOpaque() {
      return OPAQUE_TYPES.containsKey(type);
    }

    /** The size of the tensor in bytes; -1 if it exceeds every possible file. */
    long bytes() {
      if (shape.stream().anyMatch(extent -> extent < 0)) {
        return -1;
      }
      ElementType elementType = TYPES.get(type);
      long bits =
          elementType == null
              ? OPAQUE_TYPES.getOrDefault(type, 0)
              : (long) elementType.bytes() * Byte.SIZE;
      try {
        long all = shape.stream().reduce(bits, Math::multiplyExact);
        return all % Byte.SIZE == 0 ? all / Byte.SIZE : -1;
      } catch (ArithmeticException e) {
        return -1;
      }
    }
  }

  private static final class Header {

    private final ModelFile file;
    private final long length;

    Header(ModelFile file) {
      this.file = file;
      if (file.size() < Long.BYTES) {
        throw damaged("it is too short for a header");
      }
      ByteBuffer prefix = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      file.read(0, prefix);
      this.length = prefix.getLong(0);
      if (length < 0 || length > file.size() - Long.BYTES) {
        throw damaged(
            "header length %s exceeds the file size %d"
                .formatted(Long.toUnsignedString(length), file.size()));
      }
      if (length > MAX_HEADER) {
        throw damaged("header length %d exceeds the limit %d".formatted(length, MAX_HEADER));
      }
    }

    SafetensorsFile read() {
      var bytes = new byte[(int) length];
      file.read(Long.BYTES, ByteBuffer.wrap(bytes));
      List<Entry> entries;
      try {
        String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        entries = entries(text);
      } catch (CharacterCodingException e) {
        throw damaged("its header is not UTF-8", e);
      }
      entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
      Map<String, DenseTensor> tensors = new LinkedHashMap<>();
      List<String> opaque = new ArrayList<>();
      long start = Long.BYTES + length;
      long expected = 0;
      for (Entry entry : entries) {
        if (entry.begin() != expected) {
          throw damaged(
              "tensor '%s' starts at byte %d of the data instead of byte %d; tensors must neither overlap nor leave gaps"
                  .formatted(entry.name(), entry.begin(), expected));
        }
        expected = entry.end();
        check(entry, start);
        ElementType type = TYPES.get(entry.type());
        if (type == null) {
          opaque.add(entry.name());
        } else {
          tensors.put(entry.name(), tensor(entry, type, start));
        }
      }
      if (expected != file.size() - start) {
        throw damaged(
            "its tensors need %d bytes, but it contains %d"
                .formatted(expected, file.size() - start));
      }
      return new SafetensorsFile(file, tensors, opaque);
    }

    private void check(Entry entry, long start) {
      long bytes = entry.end() - entry.begin();
      if (bytes < 0 || entry.end() > file.size() - start) {
        throw damaged(
            "tensor '%s' is at bytes %d to %d, outside of the %d bytes of data"
                .formatted(entry.name(), entry.begin(), entry.end(), file.size() - start));
      }
      if (entry.bytes() != bytes) {
        throw damaged(
            "tensor '%s' has %d bytes, which does not match %s elements of shape %s"
                .formatted(entry.name(), bytes, entry.type(), entry.shape()));
      }
    }

    private DenseTensor tensor(Entry entry, ElementType type, long start) {
      var storage =
          new TensorStorage(
              "%s/%s".formatted(file.path().getFileName(), entry.name()),
              file.slice(start + entry.begin(), entry.bytes()));
      return DenseTensor.contiguous(
          "tensor '%s' of %s".formatted(Printable.shortened(entry.name()), file.path()),
          type,
          entry.shape(),
          storage);
    }

    private List<Entry> entries(String text) {
      Map<String, Entry> entries = new LinkedHashMap<>();
      var json = new JsonReader(new StringReader(text));
      json.setStrictness(Strictness.STRICT);
      try {
        json.beginObject();
        while (json.hasNext()) {
          String name = json.nextName();
          if (name.equals(METADATA)) {
            json.skipValue();
          } else if (entries.put(name, entry(name, json)) != null) {
            throw damaged("two tensors are named '%s'".formatted(name));
          }
        }
        json.endObject();
        if (json.peek() != JsonToken.END_DOCUMENT) {
          throw damaged("there is text after its header");
        }
      } catch (IOException | IllegalStateException | NumberFormatException e) {
        throw damaged(
            "its header is not the JSON that the format requires, at " + json.getPath(), e);
      }
      return new ArrayList<>(entries.values());
    }

    private Entry entry(String name, JsonReader json) throws IOException {
      @Nullable String type = null;
      @Nullable List<Long> shape = null;
      @Nullable List<Long> offsets = null;
      Set<String> members = new HashSet<>();
      json.beginObject();
      while (json.hasNext()) {
        String member = json.nextName();
        if (!members.add(member)) {
          throw damaged("tensor '%s' has its '%s' twice".formatted(name, member));
        }
        switch (member) {
          case "dtype" -> type = json.nextString();
          case "shape" -> shape = numbers(json);
          case "data_offsets" -> offsets = numbers(json);
          default -> json.skipValue();
        }
      }
      json.endObject();
      if (type == null || shape == null || offsets == null || offsets.size() != 2) {
        throw damaged("tensor '%s' lacks a dtype, a shape or its two offsets".formatted(name));
      }
      var entry = new Entry(name, type, shape, offsets.get(0), offsets.get(1));
      if (!TYPES.containsKey(type) && !entry.isOpaque()) {
        throw damaged(
            "tensor '%s' has unknown dtype '%s' (known: %s)"
                .formatted(name, type, TYPES.keySet().stream().sorted().toList()));
      }
      return entry;
    }

    private static List<Long> numbers(JsonReader json) throws IOException {
      List<Long> numbers = new ArrayList<>();
      json.beginArray();
      while (json.hasNext()) {
        if (json.peek() != JsonToken.NUMBER) {
          throw new MalformedJsonException("a number is missing at " + json.getPath());
        }
        // As text, because nextLong would accept 1.0 as well.
        numbers.add(Long.parseLong(json.nextString()));
      }
      json.endArray();
      return numbers;
    }

    private ModelFormatException damaged(String what) {
      return damaged(what, null);
    }

    private ModelFormatException damaged(String what, @Nullable Exception cause) {
      return new ModelFormatException(
          "%s is not a valid safetensors file: %s; download it again or save it again with safetensors"
              .formatted(file.path(), Printable.shortened(what)),
          cause);
    }
  }
}
