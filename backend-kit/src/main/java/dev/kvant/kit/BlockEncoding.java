package dev.kvant.kit;

import dev.kvant.api.ElementType;
import dev.kvant.api.Granularity;
import dev.kvant.api.QuantizationException;
import dev.kvant.numerics.QuantizationError;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A weight that is stored as blocks of a {@link BlockCodec}, under the weight's own name. It is
 * read, encoded and written a piece at a time, on several threads.
 *
 * @since 0.1.0
 */
public final class BlockEncoding implements WeightEncoder.Encoding {

  /** Values of one piece that a thread encodes at once. */
  private static final int PIECE = 1 << 18;

  private final WeightValues weight;
  private final BlockCodec codec;
  private final int threads;
  private QuantizationError error = QuantizationError.NONE;

  /**
   * A weight of which nothing was read yet.
   *
   * @param weight its rows fall into whole blocks
   * @param codec encodes its values
   * @param threads how many threads encode
   * @throws QuantizationException if the rows do not fall into whole blocks
   */
  public BlockEncoding(WeightValues weight, BlockCodec codec, int threads) {
    this.weight = weight;
    this.codec = codec;
    this.threads = threads;
    List<Long> shape = weight.tensor().shape();
    if (!fits(shape, codec.blocks())) {
      throw new QuantizationException(
          "'%s' of shape %s cannot be quantized: its rows do not fall into blocks of %d values"
              .formatted(weight.name(), shape, codec.blocks().blockElements()));
    }
  }

  /** Whether the rows of a weight of that shape fall into whole blocks. */
  public static boolean fits(List<Long> shape, ElementType blocks) {
    return blocks.blockElements() == 1
        || (!shape.isEmpty() && shape.get(shape.size() - 1) % blocks.blockElements() == 0);
  }

  /** The blocks in their own type and the shape of the weight, for formats that have such types. */
  public OutputTensor blocks() {
    return new OutputTensor(weight.name(), codec.blocks(), weight.tensor().shape(), this::write);
  }

  /** The blocks as safetensors files hold them: as bytes, where these have no such type. */
  @Override
  public List<OutputTensor> tensors() {
    ElementType blocks = codec.blocks();
    if (SafetensorsWriter.supports(blocks)) {
      return List.of(blocks());
    }
    List<Long> shape = new ArrayList<>(weight.tensor().shape());
    int last = shape.size() - 1;
    shape.set(last, blocks.bytes(shape.get(last)));
    return List.of(new OutputTensor(weight.name(), ElementType.UINT8, shape, this::write));
  }

  @Override
  public @Nullable Granularity granularity() {
    int elements = codec.blocks().blockElements();
    return elements == 1 ? null : Granularity.group(elements);
  }

  @Override
  public QuantizationError error() {
    return error;
  }

  private record Piece(ByteBuffer blocks, long sourceBytes, QuantizationError error) {}

  private void write(OutputStream out, ByteProgress progress) throws IOException {
    error = QuantizationError.NONE;
    ElementType blocks = codec.blocks();
    long inPiece = Math.max(1, PIECE / blocks.blockElements()) * (long) blocks.blockElements();
    long elements = weight.tensor().elements();
    OrderedTasks.run(
        threads,
        (elements + inPiece - 1) / inPiece,
        index -> piece(index * inPiece, (int) Math.min(inPiece, elements - index * inPiece)),
        piece -> {
          out.write(piece.blocks().array());
          error = error.plus(piece.error());
          progress.advance(piece.sourceBytes(), weight.name());
        });
  }

  private Piece piece(long first, int count) {
    float[] values = weight.read(first, count);
    ByteBuffer blocks =
        ByteBuffer.allocate((int) codec.blocks().bytes(count)).order(ByteOrder.LITTLE_ENDIAN);
    try {
      codec.encode(values, blocks);
    } catch (ArithmeticException e) {
      throw new QuantizationException(
          "'%s' cannot be quantized: %s".formatted(weight.name(), e.getMessage()), e);
    }
    var restored = new float[count];
    codec.decode(blocks.rewind(), restored);
    return new Piece(
        blocks,
        weight.tensor().elementType().bytes(count),
        QuantizationError.between(values, restored));
  }
}
