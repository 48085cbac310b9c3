package dev.kvant.backend.gguf.blocks;

import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.Granularity;
import dev.kvant.gguf.GgufType;
import dev.kvant.kit.BlockCodec;
import dev.kvant.kit.BlockEncoding;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/**
 * The types that weights are quantized to.
 *
 * @since 0.1.0
 */
public enum BlockType {
  /** 8 bits, 34 bytes for 32 values. */
  Q8_0(GgufType.Q8_0, 7, 32, ByteBlocks::new),
  /** 4 bits, 18 bytes for 32 values. */
  Q4_0(GgufType.Q4_0, 2, 32, blocks -> new NibbleBlocks(blocks, 4, true)),
  /** 4 bits with a minimum, 20 bytes for 32 values. */
  Q4_1(GgufType.Q4_1, 3, 32, blocks -> new NibbleBlocks(blocks, 4, false)),
  /** 5 bits, 22 bytes for 32 values. */
  Q5_0(GgufType.Q5_0, 8, 32, blocks -> new NibbleBlocks(blocks, 5, true)),
  /** 5 bits with a minimum, 24 bytes for 32 values. */
  Q5_1(GgufType.Q5_1, 9, 32, blocks -> new NibbleBlocks(blocks, 5, false)),
  /** 4 bits in two levels, 144 bytes for 256 values. */
  Q4_K(GgufType.Q4_K, 14, 32, FourBitSuperBlocks::new),
  /** 6 bits in two levels, 210 bytes for 256 values. */
  Q6_K(GgufType.Q6_K, 18, 16, SixBitSuperBlocks::new);

  private final int fileType;
  private final int group;

  @SuppressWarnings("ImmutableEnumChecker") // A record of a text.
  private final Dtype dtype;

  @SuppressWarnings("ImmutableEnumChecker") // Codecs have no state.
  private final BlockCodec codec;

  BlockType(GgufType type, int fileType, int group, Function<ElementType, BlockCodec> codec) {
    this.fileType = fileType;
    this.group = group;
    this.dtype = Dtype.of(name().toLowerCase(Locale.ROOT));
    this.codec = codec.apply(type.elementType());
  }

  /** The dtypes of all types. */
  public static List<Dtype> dtypes() {
    return Arrays.stream(values()).map(BlockType::dtype).toList();
  }

  /** The type of a dtype; empty if there is none. */
  public static Optional<BlockType> of(Dtype dtype) {
    return Arrays.stream(values()).filter(type -> type.dtype.equals(dtype)).findFirst();
  }

  /** What a configuration calls it. */
  public Dtype dtype() {
    return dtype;
  }

  /** Its arithmetic. */
  public BlockCodec codec() {
    return codec;
  }

  /** Which values share a scale: of types in two levels, those of the inner one. */
  public Granularity granularity() {
    return Granularity.group(group);
  }

  /** What llama.cpp calls a file whose weights are mostly of this type. */
  public int fileType() {
    return fileType;
  }

  /**
   * The type that llama.cpp stores a weight as of which this type is requested: this one, or where
   * rows do not fall into blocks of 256 values, the next larger with blocks of 32.
   *
   * @param shape the shape of the weight
   * @return empty if its rows fall into no blocks
   */
  public Optional<BlockType> fitting(List<Long> shape) {
    return (switch (this) {
          case Q4_K -> List.of(this, Q5_0);
          case Q6_K -> List.of(this, Q8_0);
          case Q8_0, Q4_0, Q4_1, Q5_0, Q5_1 -> List.of(this);
        })
        .stream().filter(type -> BlockEncoding.fits(shape, type.codec.blocks())).findFirst();
  }
}
