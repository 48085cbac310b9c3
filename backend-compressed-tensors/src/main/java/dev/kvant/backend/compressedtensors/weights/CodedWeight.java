package dev.kvant.backend.compressedtensors.weights;

import dev.kvant.api.ElementType;
import dev.kvant.api.Granularity;
import dev.kvant.kit.ByteProgress;
import dev.kvant.kit.OrderedTasks;
import dev.kvant.kit.OutputTensor;
import dev.kvant.kit.WeightEncoder;
import dev.kvant.kit.WeightValues;
import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.numerics.QuantizationError;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One weight on its way to a file: read, quantized and written some rows at a time, on several
 * threads. Its scales and zero points alone are held as a whole, from the time when its codes are
 * written to that when they are; each tensor is written once. The error is kept.
 *
 * @since 0.1.0
 */
public final class CodedWeight implements WeightEncoder.Encoding {

  /** Bytes of a weight that a thread quantizes at once. */
  private static final int PIECE = 4 << 20;

  private final WeightValues weight;
  private final Scheme scheme;
  private final Layout layout;
  private final boolean searches;
  private final @Nullable GlobalScale globalScale;
  private final int threads;
  private final FloatType type;
  private final int rows;
  private final int columns;
  private @Nullable ByteArrayOutputStream scales;
  private @Nullable ByteArrayOutputStream zeroPoints;
  private QuantizationError error = QuantizationError.NONE;

  /**
   * A weight of which nothing was read yet.
   *
   * @param weight a matrix {@code [out, in]}
   * @param scheme how to store it; groups divide its rows
   * @param layout how to name and store the tensors; has the scheme
   * @param searches whether scales are those with the smallest squared error, not those that span
   *     all values
   * @param globalScale the scale of its scales, for NVFP4 alone
   * @param threads how many threads quantize
   */
  public CodedWeight(
      WeightValues weight,
      Scheme scheme,
      Layout layout,
      boolean searches,
      @Nullable GlobalScale globalScale,
      int threads) {
    this.weight = weight;
    this.scheme = scheme;
    this.layout = layout;
    this.searches = searches;
    this.globalScale = globalScale;
    this.threads = threads;
    this.type = FloatType.find(weight.tensor().elementType().label()).orElseThrow();
    this.rows = Math.toIntExact(weight.tensor().shape().get(0));
    this.columns = Math.toIntExact(weight.tensor().shape().get(1));
  }

  @Override
  public List<OutputTensor> tensors() {
    long perRow = columns / scheme.columnsOfScale(columns);
    long scaleRows = ((long) rows + scheme.rowsOfScale() - 1) / scheme.rowsOfScale();
    List<OutputTensor> tensors = new ArrayList<>();
    tensors.add(codes());
    boolean isVector = layout == Layout.MODELOPT && scheme.numbers() == Numbers.FP8;
    tensors.add(
        held(
            "_scale",
            scaleElements(),
            isVector ? List.of(scaleRows) : List.of(scaleRows, perRow),
            this::takeScales));
    if (!scheme.numbers().isSymmetric()) {
      tensors.add(
          held(
              "_zero_point",
              ElementType.INT32,
              List.of((rows + 7L) / 8, perRow),
              () -> Packing.zeroPoints(takeZeroPoints(), rows, (int) perRow)));
    }
    if (scheme.isPackedIntoWords()) {
      tensors.add(held("_shape", ElementType.INT64, List.of(2L), this::shape));
    }
    GlobalScale shared = globalScale;
    if (shared != null) {
      boolean isScalar = layout == Layout.MODELOPT;
      tensors.add(
          held(
              isScalar ? "_scale_2" : "_global_scale",
              ElementType.FLOAT32,
              isScalar ? List.of() : List.of(1L),
              () -> littleEndian(Float.BYTES).putFloat(shared.value()).array()));
    }
    return tensors;
  }

  private OutputTensor codes() {
    if (scheme.isPackedIntoWords()) {
      long words = Packing.bytesOfRow(columns, scheme.numbers().bits()) / Integer.BYTES;
      return tensor("_packed", ElementType.INT32, words);
    }
    return switch (scheme.numbers()) {
      case NVFP4, MXFP4 ->
          tensor(layout == Layout.MODELOPT ? "" : "_packed", ElementType.UINT8, columns / 2);
      case FP8 -> tensor("", ElementType.FLOAT8_E4M3FN, columns);
      case INT8, INT4, UINT4 -> tensor("", ElementType.INT8, columns);
    };
  }

  private OutputTensor tensor(String suffix, ElementType elementType, long width) {
    return new OutputTensor(
        weight.name() + suffix, elementType, List.of((long) rows, width), this::writeCodes);
  }

  private ElementType scaleElements() {
    return switch (scheme.numbers()) {
      case NVFP4 -> ElementType.FLOAT8_E4M3FN;
      case MXFP4 -> ElementType.UINT8;
      case INT8, INT4, UINT4, FP8 -> scaleType().elementType();
    };
  }

  /** Gives the bytes of a small tensor. */
  private interface Held {
    byte[] bytes();
  }

  private OutputTensor held(
      String suffix, ElementType elementType, List<Long> shape, Held content) {
    return new OutputTensor(
        weight.name() + suffix, elementType, shape, (out, progress) -> out.write(content.bytes()));
  }

  private byte[] takeScales() {
    byte[] taken = written(scales);
    scales = null;
    return taken;
  }

  private byte[] takeZeroPoints() {
    byte[] taken = written(zeroPoints);
    zeroPoints = null;
    return taken;
  }

  private byte[] written(@Nullable ByteArrayOutputStream held) {
    if (held == null) {
      throw new IllegalStateException(
          "the tensors of '%s' must be written once each, the codes first"
              .formatted(weight.name()));
    }
    return held.toByteArray();
  }

  /** How many bytes of scales and zero points are held. */
  int heldBytes() {
    return (scales == null ? 0 : scales.size()) + (zeroPoints == null ? 0 : zeroPoints.size());
  }

  private byte[] shape() {
    return littleEndian(2 * Long.BYTES).putLong(rows).putLong(columns).array();
  }

  private static ByteBuffer littleEndian(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private ScaleType scaleType() {
    return layout == Layout.MODELOPT ? ScaleType.ofModelOpt() : ScaleType.ofWeight(type);
  }

  private RowCodec codec() {
    GlobalScale shared = globalScale;
    return switch (scheme.numbers()) {
      case INT8, INT4, FP8 -> new SymmetricRows(scheme, type, scaleType(), columns, searches);
      case UINT4 -> new AffineRows(scheme, type, columns, searches);
      case NVFP4, MXFP4 ->
          new Float4Rows(
              scheme, type, layout, columns, searches, shared == null ? 1 : shared.value());
    };
  }

  private void writeCodes(OutputStream out, ByteProgress progress) throws IOException {
    var scalesOfRows = new ByteArrayOutputStream();
    var zeroPointsOfRows = new ByteArrayOutputStream();
    error = QuantizationError.NONE;
    RowCodec codec = codec();
    long rowBytes = (long) columns * type.bytes();
    int together = scheme.rowsOfScale();
    int atOnce = (int) Math.min(rows, Math.max(1, PIECE / (rowBytes * together)) * (long) together);
    OrderedTasks.run(
        threads,
        (rows + atOnce - 1) / atOnce,
        task -> encode(codec, (int) task * atOnce, Math.min(atOnce, rows - (int) task * atOnce)),
        encoded -> {
          out.write(encoded.rows().codes().array());
          scalesOfRows.write(encoded.rows().scales().array());
          zeroPointsOfRows.write(encoded.rows().zeroPoints().array());
          error = error.plus(encoded.rows().error());
          progress.advance(encoded.sourceBytes(), weight.name());
        });
    scales = scalesOfRows;
    zeroPoints = scheme.numbers().isSymmetric() ? null : zeroPointsOfRows;
  }

  private record Encoded(RowCodec.Rows rows, long sourceBytes) {}

  private Encoded encode(RowCodec codec, int firstRow, int count) {
    ByteBuffer source = littleEndian(Math.toIntExact((long) count * columns * type.bytes()));
    long first = (long) firstRow * columns;
    weight.tensor().read(first, source);
    try {
      return new Encoded(codec.encode(source.flip(), count), source.limit());
    } catch (NonFiniteValueException e) {
      throw weight.notFinite(new NonFiniteValueException(first + e.index(), e.value()));
    }
  }

  @Override
  public Granularity granularity() {
    return scheme.granularity();
  }

  @Override
  public QuantizationError error() {
    return error;
  }
}
