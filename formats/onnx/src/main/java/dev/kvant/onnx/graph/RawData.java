package dev.kvant.onnx.graph;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import dev.kvant.onnx.proto.GraphProto;
import dev.kvant.onnx.proto.ModelProto;
import dev.kvant.onnx.proto.TensorProto;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds where the bytes of initializers are in a model's file, which the parsed message does not
 * tell.
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
      if (tag == (number << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED)) {
        int limit = input.pushLimit(input.readRawVarint32());
        reader.read();
        input.popLimit(limit);
      } else {
        input.skipField(tag);
      }
    }
  }
}
