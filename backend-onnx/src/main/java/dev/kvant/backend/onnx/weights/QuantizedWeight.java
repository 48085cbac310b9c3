package dev.kvant.backend.onnx.weights;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Distribution;
import dev.kvant.api.Granularity;
import dev.kvant.api.OperandSettings;
import dev.kvant.kit.Distributions;
import dev.kvant.kit.Observers;
import dev.kvant.kit.WeightRanges;
import dev.kvant.numerics.BFloat16;
import dev.kvant.numerics.ChannelQuantizer;
import dev.kvant.numerics.Float16;
import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.QuantizationError;
import dev.kvant.numerics.QuantizedType;
import dev.kvant.numerics.RowQuantizer;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.numerics.observer.ValueRange;
import dev.kvant.onnx.graph.Content;
import dev.kvant.onnx.graph.FloatValues;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.Set;

/**
 * A weight whose scales are known; its codes are computed whenever they are read.
 *
 * @since 0.1.0
 */
public final class QuantizedWeight implements Content, WeightResult {

  /** The algorithms that a channel has enough values for. */
  public static final Set<CalibrationAlgorithm> SEARCHED =
      Set.of(CalibrationAlgorithm.MSE, CalibrationAlgorithm.PERCENTILE);

  /** Below it rounding a scale to float16 moves the largest weight by more than a quarter code. */
  private static final float SMALLEST_FLOAT16_SCALE = 0x1p-16f;

  /** The largest code of 7 bits: pairs of products with uint8 then fit into 16 bits. */
  public static final int REDUCED_MAX = 64;

  private final StoredTensor source;
  private final FloatType type;
  private final FloatType scaleType;
  private final QuantizedType codes;
  private final Granularity granularity;
  private final ChannelQuantizer quantizer;
  private final float[] scales;
  private final boolean[] zeros;
  private QuantizationError error = QuantizationError.NONE;

  private QuantizedWeight(
      StoredTensor source,
      FloatType type,
      FloatType scaleType,
      QuantizedType codes,
      Granularity granularity,
      ChannelQuantizer quantizer,
      float[] scales,
      boolean[] zeros) {
    this.source = source;
    this.type = type;
    this.scaleType = scaleType;
    this.codes = codes;
    this.granularity = granularity;
    this.quantizer = quantizer;
    this.scales = scales;
    this.zeros = zeros;
  }

  /**
   * Finds the scales of a weight.
   *
   * @param axis the axis of the channels, or -1 for one scale
   * @param settings how the range of each channel is chosen
   * @param parallelism how many threads search for it
   * @throws dev.kvant.numerics.NonFiniteValueException if a weight is NaN or infinite
   */
  public static QuantizedWeight of(
      StoredTensor source,
      FloatType type,
      QuantizedType codes,
      int axis,
      OperandSettings settings,
      int parallelism) {
    int channels = axis < 0 ? 1 : Math.toIntExact(source.dims().get(axis));
    long inner = 1;
    for (int i = axis + 1; i < source.dims().size(); i++) {
      inner = Math.multiplyExact(inner, source.dims().get(i));
    }
    RowQuantizer rows = RowQuantizer.onnxRuntime(type, codes);
    ChannelQuantizer quantizer =
        new ChannelQuantizer(rows, Math.max(1, channels), Math.max(1, inner));
    float[] scales = new float[Math.max(1, channels)];
    if (source.elements() > 0 && SEARCHED.contains(settings.algorithm())) {
      scales = searched(source, channels, inner, grid(codes), settings, parallelism);
    } else {
      float[] amax = scales;
      source
          .content()
          .forEachBlock((from, block) -> quantizer.amax(block, from / type.bytes(), amax));
    }
    boolean[] zeros = new boolean[scales.length];
    float smallest = Float.MAX_VALUE;
    for (int channel = 0; channel < scales.length; channel++) {
      zeros[channel] = scales[channel] == 0;
      if (!zeros[channel]) {
        smallest = Math.min(smallest, scales[channel] / codes.max());
      }
    }
    FloatType scaleType =
        smallest < (type == FloatType.FLOAT16 ? SMALLEST_FLOAT16_SCALE : Float.MIN_NORMAL)
            ? FloatType.FLOAT32
            : type;
    for (int channel = 0; channel < scales.length; channel++) {
      scales[channel] = scale(scaleType, codes, scales[channel]);
    }
    return new QuantizedWeight(
        source,
        type,
        scaleType,
        codes,
        axis < 0 ? Granularity.TENSOR : Granularity.axis(axis),
        quantizer,
        scales,
        zeros);
  }

  private static float[] searched(
      StoredTensor source,
      int channels,
      long inner,
      Grid grid,
      OperandSettings settings,
      int parallelism) {
    var ranges =
        new WeightRanges(
            (first, count) -> FloatValues.of(source, first, count),
            grid,
            () -> Observers.of(settings.algorithm(), settings.algorithmOptions()),
            parallelism);
    return channels == 1
        ? new float[] {ranges.amax(source.elements())}
        : ranges.amax(source.elements() / channels / inner, channels, inner);
  }

  /** As ONNX Runtime has it, but subnormal where that takes 1 instead and loses all weights. */
  private static float scale(FloatType type, QuantizedType codes, float amax) {
    float exact = (float) ((double) amax / codes.max());
    return amax > 0 && exact < Float.MIN_NORMAL
        ? Math.max(exact, Float.MIN_VALUE)
        : RowQuantizer.onnxRuntime(type, codes).scale(amax);
  }

  private static Grid grid(QuantizedType codes) {
    return switch (codes) {
      case INT8 -> Grid.INT8_SYMMETRIC;
      case FLOAT8_E4M3FN -> Grid.FLOAT8_E4M3FN;
      case FLOAT8_E5M2 -> Grid.FLOAT8_E5M2;
    };
  }

  /** Whether all weights of a channel are zero. */
  public boolean isZero(int channel) {
    return zeros[channel];
  }

  /**
   * The type of {@link #scaleContent()}: that of the weight, or float32 where scales are too small
   * for it.
   */
  public FloatType scaleType() {
    return scaleType;
  }

  /** One scale per channel; changing one changes the codes. */
  public float[] scales() {
    return scales;
  }

  /**
   * Leaves a bit of int8 codes unused: -64 to 64 hold all weights, {@code scale = amax / 64},
   * whatever range was chosen. Two products with uint8 codes then add up within int16, in which
   * processors without VNNI add them. The range of {@code reduce_range} in onnxruntime.quantization
   * 1.32.
   */
  public void reduceRange() {
    float[] amax = new float[scales.length];
    source
        .content()
        .forEachBlock((from, block) -> quantizer.amax(block, from / type.bytes(), amax));
    for (int channel = 0; channel < scales.length; channel++) {
      scales[channel] = Math.max(scales[channel], amax[channel] / REDUCED_MAX);
    }
  }

  /** Raises scales of int8 codes where the products of a pair could overflow in 16 bits. */
  public void fit(KernelPairs pairs) {
    float[] raised = pairs.raised(source, scales);
    System.arraycopy(raised, 0, scales, 0, scales.length);
  }

  /** The scales as a tensor of {@link #scaleType()} has them; follows changes. */
  public Content scaleContent() {
    return new Content() {
      @Override
      public long bytes() {
        return (long) scales.length * scaleType.bytes();
      }

      @Override
      public ByteBuffer read(long from, int length) {
        ByteBuffer bytes =
            ByteBuffer.allocate(scales.length * scaleType.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (float scale : scales) {
          switch (scaleType) {
            case FLOAT32 -> bytes.putFloat(scale);
            case FLOAT16 -> bytes.putShort(Float16.fromFloat(scale));
            case BFLOAT16 -> bytes.putShort(BFloat16.fromFloat(scale));
          }
        }
        return bytes.slice(Math.toIntExact(from), length).order(ByteOrder.LITTLE_ENDIAN);
      }
    };
  }

  @Override
  public Granularity granularity() {
    return granularity;
  }

  @Override
  public long savedBytes() {
    return source.content().bytes() - bytes() - scaleContent().bytes();
  }

  @Override
  public QuantizationError error() {
    return error;
  }

  @Override
  public Optional<Distribution> distribution() {
    float widest = 0;
    for (int channel = 0; channel < scales.length; channel++) {
      widest = zeros[channel] ? widest : Math.max(widest, scales[channel]);
    }
    float amax = Math.min(widest * codes.max(), Float.MAX_VALUE);
    return Distributions.ofWeight(
        (first, count) -> FloatValues.of(source, first, count),
        source.elements(),
        new ValueRange(-amax, amax));
  }

  @Override
  public long bytes() {
    return source.elements();
  }

  @Override
  public ByteBuffer read(long from, int length) {
    ByteBuffer codes = ByteBuffer.allocate(length);
    QuantizationError pieceError =
        quantizer.quantize(
            source.content().read(from * type.bytes(), length * type.bytes()), from, scales, codes);
    error = error.plus(pieceError);
    return codes;
  }

  @Override
  public void forEachBlock(BlockConsumer consumer) {
    error = QuantizationError.NONE;
    Content.super.forEachBlock(consumer);
  }
}
