package dev.kvant.onnx.graph;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.onnx.proto.ModelProto;
import dev.kvant.spi.RegularFile;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/**
 * An ONNX file that was opened: its structure in memory, its tensors still on disk.
 *
 * @since 0.1.0
 */
public final class OnnxFile implements AutoCloseable {

  private final Path path;
  private final ModelProto proto;
  private final List<Long> rawData;
  private final ExternalData files;
  private final ByteString mapped;

  private OnnxFile(Path path, ModelProto proto, List<Long> rawData, ByteString mapped) {
    this.path = path;
    this.proto = proto;
    this.rawData = rawData;
    this.mapped = mapped;
    this.files = new ExternalData(path);
  }

  /**
   * Opens a file.
   *
   * @throws ModelFormatException if it is damaged or no ONNX file
   */
  public static OnnxFile open(Path path) {
    try {
      return open(path, RegularFile.channel(path));
    } catch (IOException e) {
      throw new ModelFormatException("%s cannot be read: %s".formatted(path, e), e);
    }
  }

  /**
   * Reads a file that is open.
   *
   * @param channel the file, which this closes
   * @throws ModelFormatException if it is damaged or no ONNX file
   */
  public static OnnxFile open(Path path, FileChannel channel) {
    try (channel) {
      long size = channel.size();
      if (size > Integer.MAX_VALUE) {
        throw new ModelFormatException(
            "%s has %d bytes; an ONNX file of more than 2 GB keeps its tensors in external files"
                .formatted(path, size));
      }
      ByteString mapped =
          UnsafeByteOperations.unsafeWrap(channel.map(FileChannel.MapMode.READ_ONLY, 0, size));
      CodedInputStream input = mapped.newCodedInput();
      // Tensors then point into the mapped file instead of being copied to the heap.
      input.enableAliasing(true);
      ModelProto proto = ModelProto.parseFrom(input);
      if (!proto.hasGraph() || proto.getOpsetImportCount() == 0) {
        throw new ModelFormatException(
            "%s has no graph or names no operator set; it is not an ONNX model or is truncated"
                .formatted(path));
      }
      return new OnnxFile(path, proto, RawData.offsets(mapped.newCodedInput()), mapped);
    } catch (InvalidProtocolBufferException e) {
      throw new ModelFormatException(
          "%s is not an ONNX model or is truncated: %s".formatted(path, e.getMessage()), e);
    } catch (ClosedByInterruptException e) {
      throw new QuantizationCancelledException("reading %s was interrupted".formatted(path), e);
    } catch (IOException e) {
      throw new ModelFormatException("%s cannot be read: %s".formatted(path, e), e);
    }
  }

  /** Where it is. */
  public Path path() {
    return path;
  }

  /** Size of the file itself, without external files. */
  public long bytes() {
    return mapped.size();
  }

  /**
   * Where the value of an entry of the metadata starts in the file, as UTF-8; empty if there is no
   * such entry.
   */
  public OptionalLong metadataOffset(String key) {
    try {
      return RawData.metadataOffset(mapped.newCodedInput(), key);
    } catch (IOException e) {
      throw new ModelFormatException("%s cannot be read: %s".formatted(path, e), e);
    }
  }

  /** The files beside it that hold tensors, once the model was loaded. */
  public Set<Path> externalFiles() {
    return files.files();
  }

  /**
   * A copy of the model to change; its constants are read from this file, which must stay open.
   *
   * @throws ModelFormatException if the graph is not sound
   */
  public OnnxModel load() {
    return OnnxModel.of(path, proto, rawData, files);
  }

  /** Closes the external files. A second call does nothing. */
  @Override
  public void close() {
    files.close();
  }
}
