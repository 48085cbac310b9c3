package dev.kvant.onnx.graph;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import dev.kvant.api.KvantException;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.onnx.proto.GraphProto;
import dev.kvant.onnx.proto.ModelProto;
import dev.kvant.onnx.proto.StringStringEntryProto;
import dev.kvant.onnx.proto.TensorProto;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes a model to a file; the initializers of its own graph stream from where they are, so that
 * memory does not grow with them.
 *
 * @since 0.1.0
 */
public final class OnnxWriter {

  /** The largest message that protobuf's readers take. */
  public static final long LARGEST_FILE = Integer.MAX_VALUE;

  /** Tensors below this size stay in the model's file. */
  private static final long SMALLEST_EXTERNAL = 1024;

  /** External tensors start at pages, so that they can be mapped. */
  private static final long PAGE = 4096;

  private final OnnxModel model;

  private OnnxWriter(OnnxModel model) {
    this.model = model;
  }

  /** What a file will take that holds everything, in bytes. */
  public static long size(OnnxModel model) {
    OnnxWriter writer = new OnnxWriter(model);
    GraphProto graph = model.graph().toProtoWithoutInitializers();
    return writer.modelSize(graph, writer.inline());
  }

  /**
   * Writes a file that holds everything.
   *
   * @throws KvantException if it cannot be written
   */
  public static void write(OnnxModel model, Path file) {
    OnnxWriter writer = new OnnxWriter(model);
    writer.writeModel(writer.inline(), file);
  }

  /**
   * Writes a file and one for the large tensors beside it.
   *
   * @param data takes the tensors
   * @param dataName the name that it will have beside the model
   * @throws KvantException if one of them cannot be written
   */
  public static void write(OnnxModel model, Path file, Path data, String dataName) {
    OnnxWriter writer = new OnnxWriter(model);
    try (FileChannel channel = FileChannel.open(data, StandardOpenOption.WRITE)) {
      writer.writeModel(writer.external(channel, dataName), file);
    } catch (Unwritable e) {
      throw unwritable(data, e.failure());
    } catch (IOException e) {
      throw unwritable(data, e);
    }
  }

  /** How many bytes of the constants are in no file, but changed or made by computing. */
  public static long changedBytes(OnnxModel model) {
    return model.graph().initializers().values().stream()
        .flatMap(initializer -> initializer.tensor().stream())
        .map(StoredTensor::content)
        .filter(content -> !(content instanceof FileContent))
        .mapToLong(Content::bytes)
        .sum();
  }

  /**
   * Writes a model that takes its large tensors from where they are, in external files or in the
   * file that it was read from.
   *
   * @return the file's content; the names of external files are relative to the source's folder
   */
  public static byte[] toBytes(OnnxModel model) {
    OnnxWriter writer = new OnnxWriter(model);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      writer.writeModel(writer.asTheyAre(), bytes);
    } catch (IOException e) {
      throw new UncheckedIOException("%s cannot be copied".formatted(model.source()), e);
    }
    return bytes.toByteArray();
  }

  /** An initializer's message, and the bytes that it holds itself. */
  private record Entry(TensorProto header, List<Content> raw) {

    long size() {
      long size = header.getSerializedSize();
      for (Content content : raw) {
        size +=
            CodedOutputStream.computeTagSize(TensorProto.RAW_DATA_FIELD_NUMBER)
                + CodedOutputStream.computeUInt64SizeNoTag(content.bytes())
                + content.bytes();
      }
      return size;
    }
  }

  private List<Entry> inline() {
    List<Entry> entries = new ArrayList<>();
    for (Initializer initializer : model.graph().initializers().values()) {
      entries.add(
          new Entry(
              initializer.header(),
              initializer.tensor().map(StoredTensor::content).stream().toList()));
    }
    return entries;
  }

  private List<Entry> external(FileChannel data, String dataName) throws IOException {
    List<Entry> entries = new ArrayList<>();
    for (Initializer initializer : model.graph().initializers().values()) {
      List<Content> raw = initializer.tensor().map(StoredTensor::content).stream().toList();
      if (raw.isEmpty() || raw.get(0).bytes() < SMALLEST_EXTERNAL) {
        entries.add(new Entry(initializer.header(), raw));
        continue;
      }
      long offset = (data.position() + PAGE - 1) / PAGE * PAGE;
      data.position(offset);
      raw.get(0).forEachBlock((from, block) -> writeFully(data, block));
      entries.add(
          new Entry(reference(initializer, dataName, offset, raw.get(0).bytes()), List.of()));
    }
    return entries;
  }

  private List<Entry> asTheyAre() {
    Path folder = ExternalData.folder(model.source().toAbsolutePath().normalize());
    List<Entry> entries = new ArrayList<>();
    for (Initializer initializer : model.graph().initializers().values()) {
      List<Content> raw = initializer.tensor().map(StoredTensor::content).stream().toList();
      if (!raw.isEmpty()
          && raw.get(0) instanceof FileContent file
          && file.bytes() >= SMALLEST_EXTERNAL) {
        ExternalData.Region region = file.region();
        entries.add(
            new Entry(
                reference(
                    initializer,
                    folder.relativize(region.file()).toString(),
                    region.offset(),
                    region.length()),
                List.of()));
      } else {
        entries.add(new Entry(initializer.header(), raw));
      }
    }
    return entries;
  }

  private static TensorProto reference(
      Initializer initializer, String location, long offset, long length) {
    return initializer.header().toBuilder()
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .addExternalData(entry("location", location))
        .addExternalData(entry("offset", String.valueOf(offset)))
        .addExternalData(entry("length", String.valueOf(length)))
        .build();
  }

  private static void writeFully(FileChannel channel, ByteBuffer block) {
    try {
      while (block.hasRemaining()) {
        channel.write(block);
      }
    } catch (IOException e) {
      throw new Unwritable(e);
    }
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  private long modelSize(GraphProto graph, List<Entry> initializers) {
    long graphSize = graphSize(graph, initializers);
    return model.toProtoWithoutGraph().getSerializedSize()
        + CodedOutputStream.computeTagSize(ModelProto.GRAPH_FIELD_NUMBER)
        + CodedOutputStream.computeUInt64SizeNoTag(graphSize)
        + graphSize;
  }

  private static long graphSize(GraphProto graph, List<Entry> initializers) {
    long size = graph.getSerializedSize();
    for (Entry entry : initializers) {
      size +=
          CodedOutputStream.computeTagSize(GraphProto.INITIALIZER_FIELD_NUMBER)
              + CodedOutputStream.computeUInt64SizeNoTag(entry.size())
              + entry.size();
    }
    return size;
  }

  private void writeModel(List<Entry> initializers, Path file) {
    try (OutputStream stream = new BufferedOutputStream(Files.newOutputStream(file))) {
      writeModel(initializers, stream);
    } catch (Unwritable e) {
      throw unwritable(file, e.failure());
    } catch (IOException e) {
      throw unwritable(file, e);
    }
  }

  /** Names the folder: the file may be one of many, under a name that will not last. */
  private static KvantException unwritable(Path file, IOException cause) {
    Path folder = file.toAbsolutePath().getParent();
    if (cause instanceof ClosedByInterruptException) {
      return new QuantizationCancelledException(
          "writing into %s was interrupted".formatted(folder), cause);
    }
    return new KvantException(
        "%s cannot be written to: %s".formatted(folder, cause.getMessage()), cause);
  }

  /** Carries a failure to write, as opposed to one to read, out of a loop over blocks. */
  private static final class Unwritable extends UncheckedIOException {

    private static final long serialVersionUID = 1;

    private final IOException failure;

    Unwritable(IOException failure) {
      super(failure);
      this.failure = failure;
    }

    IOException failure() {
      return failure;
    }
  }

  private void writeModel(List<Entry> initializers, OutputStream stream) throws IOException {
    GraphProto graph = model.graph().toProtoWithoutInitializers();
    long size = modelSize(graph, initializers);
    if (size > LARGEST_FILE) {
      throw new IllegalArgumentException(
          "model: takes %d bytes in one file, more than protobuf's limit of %d"
              .formatted(size, LARGEST_FILE));
    }
    CodedOutputStream out = CodedOutputStream.newInstance(stream);
    model.toProtoWithoutGraph().writeTo(out);
    // Lengths are below 2^31 as the file is, so that the cast to int keeps them.
    out.writeTag(ModelProto.GRAPH_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED);
    out.writeUInt32NoTag((int) graphSize(graph, initializers));
    graph.writeTo(out);
    for (Entry entry : initializers) {
      out.writeTag(GraphProto.INITIALIZER_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED);
      out.writeUInt32NoTag((int) entry.size());
      entry.header().writeTo(out);
      for (Content content : entry.raw()) {
        out.writeTag(TensorProto.RAW_DATA_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED);
        out.writeUInt32NoTag((int) content.bytes());
        content.forEachBlock((from, block) -> writeLazily(out, block));
      }
    }
    out.flush();
  }

  private static void writeLazily(CodedOutputStream out, ByteBuffer block) {
    try {
      out.write(block);
    } catch (IOException e) {
      throw new Unwritable(e);
    }
  }
}
