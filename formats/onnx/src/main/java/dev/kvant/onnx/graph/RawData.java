package dev.kvant.onnx.graph;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import dev.kvant.onnx.proto.GraphProto;
import dev.kvant.onnx.proto.ModelProto;
import dev.kvant.onnx.proto.StringStringEntryProto;
import dev.kvant.onnx.proto.TensorProto;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * Finds where the bytes of initializers and of metadata are in a model's file, which the parsed
 * message does not tell.
 */
final class RawData {

  /** An initializer without bytes of that kind. */
  static final long NONE = -1;

  private final CodedInputStream input;
  private final List<Long> offsets = new ArrayList<>();

  private RawData(CodedInputStream input) {
    this.input = input;
  }

  /**
   * The offsets of {@code raw_data} in the order of the initializers of the model's own graph, or
   * {@link #NONE}.
   *
   * @param input reads a whole file that is a sound message
   */
  static List<Long> offsets(CodedInputStream input) throws IOException {
    RawData found = new RawData(input);
    found.forEach(
        ModelProto.GRAPH_FIELD_NUMBER,
        () -> found.forEach(GraphProto.INITIALIZER_FIELD_NUMBER, found::initializer));
    return found.offsets;
  }

  /**
   * The offset of the value of an entry of the metadata, the last one of that name.
   *
   * @param input reads a whole file that is a sound message
   */
  static OptionalLong metadataOffset(CodedInputStream input, String key) throws IOException {
    RawData found = new RawData(input);
    found.forEach(ModelProto.METADATA_PROPS_FIELD_NUMBER, () -> found.entry(key));
    return found.offsets.isEmpty()
        ? OptionalLong.empty()
        : OptionalLong.of(found.offsets.get(found.offsets.size() - 1));
  }

  private void entry(String wanted) throws IOException {
    String key = "";
    long offset = NONE;
    for (int tag = input.readTag(); tag != 0; tag = input.readTag()) {
      if (tag == lengthDelimited(StringStringEntryProto.KEY_FIELD_NUMBER)) {
        key = input.readStringRequireUtf8();
      } else if (tag == lengthDelimited(StringStringEntryProto.VALUE_FIELD_NUMBER)) {
        int length = input.readRawVarint32();
        offset = input.getTotalBytesRead();
        input.skipRawBytes(length);
      } else {
        input.skipField(tag);
      }
    }
    if (key.equals(wanted) && offset != NONE) {
      offsets.add(offset);
    }
  }

  private static int lengthDelimited(int number) {
    return number << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;
  }

  private void initializer() throws IOException {
    int index = offsets.size();
    offsets.add(NONE);
    forEach(
        TensorProto.RAW_DATA_FIELD_NUMBER,
        () -> {
          offsets.set(index, (long) input.getTotalBytesRead());
          input.skipRawBytes(input.getBytesUntilLimit());
        });
  }

  @FunctionalInterface
  private interface Reader {
    void read() throws IOException;
  }

  /** Reads what is within the current limit: fields of a number by a reader, others not at all. */
  private void forEach(int number, Reader reader) throws IOException {
    for (int tag = input.readTag(); tag != 0; tag = input.readTag()) {
      if (tag == lengthDelimited(number)) {
        int limit = input.pushLimit(input.readRawVarint32());
        reader.read();
        input.popLimit(limit);
      } else {
        input.skipField(tag);
      }
    }
  }
}
