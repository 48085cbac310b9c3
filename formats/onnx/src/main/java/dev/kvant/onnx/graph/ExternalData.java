package dev.kvant.onnx.graph;

import dev.kvant.api.ModelFormatException;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.onnx.proto.StringStringEntryProto;
import dev.kvant.onnx.proto.TensorProto;
import dev.kvant.spi.RegularFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** The files beside a model that hold its large tensors. Opened once each, read in pieces. */
final class ExternalData implements AutoCloseable {

  /**
   * Where a tensor's bytes are.
   *
   * @param file the file's absolute path
   * @param offset the first byte
   * @param length how many bytes
   */
  record Region(Path file, long offset, long length) {}

  private final Path model;
  private final Map<Path, FileChannel> channels = new HashMap<>();

  ExternalData(Path model) {
    this.model = model.toAbsolutePath().normalize();
  }

  /**
   * Finds a tensor's bytes.
   *
   * @param bytes how many the tensor's shape asks for
   * @throws ModelFormatException if the file is missing, too short or not in the model's folder
   */
  Region locate(TensorProto tensor, long bytes) {
    String location = "";
    long offset = 0;
    long length = bytes;
    for (StringStringEntryProto entry : tensor.getExternalDataList()) {
      switch (entry.getKey()) {
        case "location" -> location = entry.getValue();
        case "offset" -> offset = number(tensor, entry);
        case "length" -> length = number(tensor, entry);
        default -> {
          // A checksum or what later versions add says nothing about the place.
        }
      }
    }
    if (offset < 0) {
      throw new ModelFormatException(
          "%s: tensor '%s' has the external offset %d, which is no place in a file"
              .formatted(model, tensor.getName(), offset));
    }
    Path file = resolve(tensor, location);
    if (length != bytes) {
      throw new ModelFormatException(
          "%s: tensor '%s' takes %d bytes by its shape, but %d in the external file %s"
              .formatted(model, tensor.getName(), bytes, length, location));
    }
    long size = size(file);
    if (offset > size - length) {
      throw new ModelFormatException(
          "%s: tensor '%s' ends at byte %d of the external file %s, which has only %d; it is"
                  .formatted(model, tensor.getName(), offset + length, location, size)
              + " truncated or belongs to another model");
    }
    return new Region(file, offset, length);
  }

  /** The files that tensors were found in. */
  Set<Path> files() {
    return Set.copyOf(channels.keySet());
  }

  /** Where bytes of the model's own file are. */
  Region inModel(long offset, long length) {
    return new Region(model, offset, length);
  }

  private long number(TensorProto tensor, StringStringEntryProto entry) {
    try {
      return Long.parseLong(entry.getValue());
    } catch (NumberFormatException e) {
      throw new ModelFormatException(
          "%s: tensor '%s' has the external %s '%s', which is not a number"
              .formatted(model, tensor.getName(), entry.getKey(), entry.getValue()),
          e);
    }
  }

  private Path resolve(TensorProto tensor, String location) {
    Path folder = folder(model);
    try {
      Path file = folder.resolve(location).normalize();
      if (location.isEmpty() || Path.of(location).isAbsolute() || !file.startsWith(folder)) {
        throw leaving(tensor, location);
      }
      if (!Files.exists(file)) {
        throw new ModelFormatException(
            "%s: tensor '%s' is in the external file %s, which is not there; put it into %s"
                .formatted(model, tensor.getName(), location, folder));
      }
      RegularFile.check(file);
      // A cache of models links a model and its data from a folder of snapshots to one of blobs.
      Path real = file.toRealPath();
      if (!real.startsWith(folder.toRealPath()) && !real.startsWith(folder(model.toRealPath()))) {
        throw leaving(tensor, location);
      }
      return file;
    } catch (InvalidPathException e) {
      throw new ModelFormatException(
          "%s: tensor '%s' has the external location '%s', which is no path"
              .formatted(model, tensor.getName(), location),
          e);
    } catch (IOException e) {
      throw new ModelFormatException(
          "%s: the external file %s of tensor '%s' cannot be read: %s"
              .formatted(model, location, tensor.getName(), e),
          e);
    }
  }

  private ModelFormatException leaving(TensorProto tensor, String location) {
    return new ModelFormatException(
        "%s: tensor '%s' has the external location '%s', which leaves the model's folder; refused"
            .formatted(model, tensor.getName(), location));
  }

  /** The folder that a file is in. */
  static Path folder(Path file) {
    Path parent = file.getParent();
    if (parent == null) {
      throw new IllegalArgumentException("model: %s is no file".formatted(file));
    }
    return parent;
  }

  private long size(Path file) {
    try {
      return channel(file).size();
    } catch (IOException e) {
      throw new ModelFormatException("%s cannot be read: %s".formatted(file, e), e);
    }
  }

  private FileChannel channel(Path file) throws IOException {
    FileChannel channel = channels.get(file);
    // An interrupt closes the channel under the thread that reads.
    if (channel == null || !channel.isOpen()) {
      channel = RegularFile.channel(file);
      channels.put(file, channel);
    }
    return channel;
  }

  /** Reads a piece of a region. */
  ByteBuffer read(Region region, long from, int length) {
    ByteBuffer piece = ByteBuffer.allocate(length);
    try {
      FileChannel channel = channel(region.file());
      while (piece.hasRemaining()) {
        long position = region.offset() + from + piece.position();
        if (channel.read(piece, position) < 0) {
          throw new ModelFormatException(
              "%s ends at byte %d while it is read".formatted(region.file(), position));
        }
      }
    } catch (ClosedByInterruptException e) {
      throw new QuantizationCancelledException(
          "reading %s was interrupted".formatted(region.file()), e);
    } catch (IOException e) {
      throw new ModelFormatException("%s cannot be read: %s".formatted(region.file(), e), e);
    }
    return piece.flip();
  }

  @Override
  public void close() {
    try {
      for (FileChannel channel : channels.values()) {
        channel.close();
      }
      channels.clear();
    } catch (IOException e) {
      throw new UncheckedIOException("external data of %s cannot be closed".formatted(model), e);
    }
  }
}
