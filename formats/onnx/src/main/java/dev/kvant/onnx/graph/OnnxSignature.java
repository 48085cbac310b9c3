package dev.kvant.onnx.graph;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import dev.kvant.onnx.proto.ModelProto;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;

/**
 * Tells ONNX files from others. The format has no magic number, so the beginning of the message is
 * read: the version of the format, the names that follow, up to the graph.
 *
 * @since 0.1.0
 */
public final class OnnxSignature {

  /** Enough for the producer's name and version, and a long description. */
  private static final int LONGEST_TEXT = 1 << 20;

  /** Versions in use are 3 to 13; there is room for those to come. */
  private static final long LARGEST_IR_VERSION = 64;

  private OnnxSignature() {}

  /**
   * Whether a file begins as an ONNX model does, even if it ends too early.
   *
   * @param file at its beginning; stays open
   */
  public static boolean isOn(FileChannel file) throws IOException {
    InputStream stream = new BufferedInputStream(Channels.newInputStream(file));
    try {
      CodedInputStream input = CodedInputStream.newInstance(stream);
      boolean versionSeen = false;
      while (true) {
        int tag = input.readTag();
        int field = WireFormat.getTagFieldNumber(tag);
        int wireType = WireFormat.getTagWireType(tag);
        if (field == ModelProto.IR_VERSION_FIELD_NUMBER && wireType == WireFormat.WIRETYPE_VARINT) {
          long version = input.readUInt64();
          if (version < 1 || version > LARGEST_IR_VERSION) {
            return false;
          }
          versionSeen = true;
        } else if (field == 5 && wireType == WireFormat.WIRETYPE_VARINT) {
          input.readUInt64();
        } else if (wireType != WireFormat.WIRETYPE_LENGTH_DELIMITED) {
          return false;
        } else if (field == ModelProto.GRAPH_FIELD_NUMBER
            || field == ModelProto.OPSET_IMPORT_FIELD_NUMBER) {
          return versionSeen;
        } else if (!skipText(input, field)) {
          return false;
        }
      }
    } catch (InvalidProtocolBufferException e) {
      return false;
    }
  }

  /** The producer, its version, the domain, the description and properties may come first. */
  private static boolean skipText(CodedInputStream input, int field) throws IOException {
    if (field != 2 && field != 3 && field != 4 && field != 6 && field != 14) {
      return false;
    }
    int length = input.readRawVarint32();
    if (length < 0 || length > LONGEST_TEXT) {
      return false;
    }
    input.skipRawBytes(length);
    return true;
  }
}
