package dev.kvant.backend.torchao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ElementType;
import dev.kvant.api.QuantizationException;
import dev.kvant.api.QuantizationListener;
import dev.kvant.kit.ByteProgress;
import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.RowQuantizer;
import dev.kvant.spi.ByteSource;
import dev.kvant.torch.tensor.ChannelLayout;
import dev.kvant.torch.tensor.DenseTensor;
import dev.kvant.torch.tensor.TensorStorage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantizedWeightTest {

  private static final List<Long> SHAPE = List.of(6L, 5L, 7L);

  private record Written(List<Byte> codes, List<Float> scales) {}

  @ParameterizedTest
  @ValueSource(ints = {8, 32, 64, 150, 280, 1 << 20})
  void the_size_of_blocks_makes_no_difference(int blockBytes) throws IOException {
    float[] values = values(SHAPE, 1);

    for (int axis : new int[] {0, 1}) {
      Written inBlocks = write(values, SHAPE, axis, WeightType.INT8, blockBytes);
      Written atOnce = write(values, SHAPE, axis, WeightType.INT8, 1 << 22);

      assertThat(inBlocks.codes()).isEqualTo(atOnce.codes());
      assertThat(inBlocks.scales()).isEqualTo(atOnce.scales());
    }
  }

  @ParameterizedTest
  @EnumSource(WeightType.class)
  void rows_are_quantized_as_torchao_does(WeightType type) throws IOException {
    float[] values = values(List.of(9L, 33L), 2);
    RowQuantizer torchao = RowQuantizer.torchao(FloatType.FLOAT32, type.codes());
    ByteBuffer codes = ByteBuffer.allocate(values.length);
    float[] scales = new float[9];
    torchao.quantizeRows(bytes(values), 33, scales, 0, codes);

    Written written = write(values, List.of(9L, 33L), 0, type, 256);

    assertThat(written.codes()).isEqualTo(list(codes.array()));
    assertThat(written.scales()).isEqualTo(list(scales));
  }

  @Test
  void channels_of_the_second_dimension_have_scales_of_their_own() throws IOException {
    // [2, 3, 2]: the largest magnitudes of the three channels are 4, 6 and 1.
    float[] values = {1, -2, 3, 6, 1, 0, 4, 0, -5, 1, -0.5f, 1};

    Written written = write(values, List.of(2L, 3L, 2L), 1, WeightType.INT8, 8);

    assertThat(written.scales()).containsExactly(4 / 127.5f, 6 / 127.5f, 1 / 127.5f);
    assertThat(written.codes())
        .isEqualTo(list(new byte[] {32, -64, 64, 127, 127, 0, 127, 0, -106, 21, -64, 127}));
  }

  @Test
  void what_is_restored_is_code_times_scale() throws IOException {
    float[] values = values(SHAPE, 3);
    Written written = write(values, SHAPE, 1, WeightType.FP8_E4M3FN, 64);

    ByteBuffer restored = ByteBuffer.wrap(restore(values, SHAPE, 1, WeightType.FP8_E4M3FN, 64));

    restored.order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < values.length; i++) {
      float scale = written.scales().get(i / 7 % 5);
      float code = WeightType.FP8_E4M3FN.codes().decode(written.codes().get(i));
      assertThat(restored.getFloat(i * Float.BYTES)).isEqualTo(code * scale);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 32, 1 << 20})
  void a_weight_that_is_not_finite_is_named_with_its_first_index(int blockBytes) {
    for (int axis : new int[] {0, 1}) {
      float[] values = values(SHAPE, 4);
      values[2 * 35 + 3 * 7 + 4] = Float.NaN;
      values[5 * 35] = Float.POSITIVE_INFINITY;

      assertThatThrownBy(() -> write(values, SHAPE, axis, WeightType.INT8, blockBytes))
          .isInstanceOf(QuantizationException.class)
          .hasMessageStartingWith("'fc.weight' cannot be quantized: element [2, 3, 4] is NaN");
    }
  }

  @Test
  void the_error_is_known_once_it_is_written() throws IOException {
    float[] values = values(SHAPE, 5);
    QuantizedWeight weight = weight(values, SHAPE, 0, WeightType.INT8);
    assertThat(weight.error()).isNull();
    assertThatThrownBy(weight::scaleBytes).isInstanceOf(IllegalStateException.class);

    try (Workspace workspace = workspace(64)) {
      weight.writeCodes(Channels.newChannel(new ByteArrayOutputStream()), workspace);
    }

    var error = weight.error();
    assertThat(error).isNotNull();
    assertThat(error == null ? 0 : error.sqnrDecibels()).isBetween(40.0, 55.0);
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 64, 1 << 20})
  void codes_that_were_written_are_taken_from_there(int blockBytes) throws IOException {
    for (int axis : new int[] {0, 1}) {
      float[] values = values(SHAPE, 6);
      byte[] original = bytes(values).array();
      QuantizedWeight weight = weight(original, SHAPE, axis, WeightType.INT8);
      byte[] restored = restore(values, SHAPE, axis, WeightType.INT8, blockBytes);
      try (Workspace workspace = workspace(blockBytes)) {
        byte[] codes = codes(weight, workspace);
        var error = weight.error();
        Arrays.fill(original, (byte) 0);

        weight.readCodesFrom(source(codes));

        assertThat(codes(weight, workspace)).isEqualTo(codes);
        var out = new ByteArrayOutputStream();
        weight.writeRestored(Channels.newChannel(out), workspace);
        assertThat(out.toByteArray()).isEqualTo(restored);
        assertThat(weight.error()).isEqualTo(error);

        weight.readCodesFrom(null);

        assertThat(codes(weight, workspace)).containsOnly(0);
      }
    }
  }

  private static byte[] codes(QuantizedWeight weight, Workspace workspace) throws IOException {
    var out = new ByteArrayOutputStream();
    weight.writeCodes(Channels.newChannel(out), workspace);
    return out.toByteArray();
  }

  private static Written write(
      float[] values, List<Long> shape, int axis, WeightType type, int blockBytes)
      throws IOException {
    QuantizedWeight weight = weight(values, shape, axis, type);
    var out = new ByteArrayOutputStream();
    try (Workspace workspace = workspace(blockBytes)) {
      weight.writeCodes(Channels.newChannel(out), workspace);
    }
    float[] scales = new float[weight.layout().channels()];
    ByteBuffer.wrap(weight.scaleBytes()).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(scales);
    return new Written(list(out.toByteArray()), list(scales));
  }

  private static byte[] restore(
      float[] values, List<Long> shape, int axis, WeightType type, int blockBytes)
      throws IOException {
    var out = new ByteArrayOutputStream();
    try (Workspace workspace = workspace(blockBytes)) {
      weight(values, shape, axis, type).writeRestored(Channels.newChannel(out), workspace);
    }
    return out.toByteArray();
  }

  private static Workspace workspace(int blockBytes) {
    return new Workspace(blockBytes, 2, new ByteProgress(QuantizationListener.NONE, "quantize", 0));
  }

  private static QuantizedWeight weight(
      float[] values, List<Long> shape, int axis, WeightType type) {
    return weight(bytes(values).array(), shape, axis, type);
  }

  private static ByteSource source(byte[] content) {
    return new ByteSource() {
      @Override
      public long size() {
        return content.length;
      }

      @Override
      public void read(long position, ByteBuffer target) {
        target.put(content, (int) position, target.remaining());
      }
    };
  }

  private static QuantizedWeight weight(
      byte[] content, List<Long> shape, int axis, WeightType type) {
    return new QuantizedWeight(
        "fc.weight",
        DenseTensor.contiguous(
            "tensor", ElementType.FLOAT32, shape, new TensorStorage("0", source(content))),
        ChannelLayout.of(shape, axis),
        type,
        false);
  }

  private static List<Byte> list(byte[] values) {
    List<Byte> list = new ArrayList<>();
    for (byte value : values) {
      list.add(value);
    }
    return list;
  }

  private static List<Float> list(float[] values) {
    List<Float> list = new ArrayList<>();
    for (float value : values) {
      list.add(value);
    }
    return list;
  }

  private static float[] values(List<Long> shape, int seed) {
    var random = new Random(seed);
    float[] values = new float[shape.stream().mapToInt(Long::intValue).reduce(1, (a, b) -> a * b)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static ByteBuffer bytes(float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes;
  }
}
