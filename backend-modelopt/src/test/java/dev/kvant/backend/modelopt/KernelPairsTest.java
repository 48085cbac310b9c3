package dev.kvant.backend.modelopt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.ElementType;
import dev.kvant.numerics.CodePairs;
import dev.kvant.numerics.FakeQuantizer;
import dev.kvant.numerics.QuantizedType;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.torch.tensor.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class KernelPairsTest {

  private static StoredTensor weight(List<Long> shape, float... values) {
    ByteBuffer content =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    content.asFloatBuffer().put(values);
    return Tensors.of(ElementType.FLOAT32, shape, content);
  }

  private static OperandQuantization ranges(float... amax) {
    return new OperandQuantization(Grid.INT8_SYMMETRIC, amax, List.of((long) amax.length, 1L));
  }

  @Test
  void neighbours_of_one_sign_share_128_codes() {
    OperandQuantization fitted =
        KernelPairs.fit(weight(List.of(2L, 4L), 1, 1, 0, 0, 1, -1, 1, 0), ranges(1, 1));

    assertThat(fitted.shape()).containsExactly(2L, 1L);
    assertThat(fitted.amax()[0]).isBetween(127f / 64, 127f / 64 * (1 + 0x1p-18f));
    assertThat(fitted.amax()[1]).isEqualTo(1);
  }

  @Test
  void ranges_stay_the_same_object_where_nothing_overflows() {
    OperandQuantization ranges = OperandQuantization.perTensor(Grid.INT8_SYMMETRIC, 1);

    assertThat(KernelPairs.fit(weight(List.of(1L, 4L), 1, 0, 0.1f, 0.1f), ranges)).isSameAs(ranges);
  }

  @Test
  void one_range_of_all_becomes_one_for_each_output() {
    OperandQuantization fitted =
        KernelPairs.fit(
            weight(List.of(2L, 2L), 1, 0, 1, 1),
            OperandQuantization.perTensor(Grid.INT8_SYMMETRIC, 1));

    assertThat(fitted.shape()).containsExactly(2L, 1L);
    assertThat(fitted.amax()[0]).isEqualTo(1);
    assertThat(fitted.amax()[1]).isGreaterThan(1.9f);
  }

  @Test
  void neighbours_of_a_filter_are_channels_at_one_position() {
    // Two channels of two positions: 1 and 1 are neighbours in memory only.
    OperandQuantization filters =
        new OperandQuantization(Grid.INT8_SYMMETRIC, new float[] {1}, List.of(1L, 1L, 1L));

    assertThat(KernelPairs.fit(weight(List.of(1L, 2L, 2L), 1, 1, 0, 0), filters)).isSameAs(filters);
    assertThat(KernelPairs.fit(weight(List.of(1L, 2L, 2L), 1, 0, 1, 0), filters).amax()[0])
        .isGreaterThan(1.9f);
  }

  @Test
  void codes_of_an_odd_number_of_channels_overflow_in_neither_order() {
    int outputs = 8;
    int channels = 5;
    int positions = 9;
    float[] values = new float[outputs * channels * positions];
    Random random = new Random(3);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }

    float[] amax =
        KernelPairs.fit(
                weight(List.of((long) outputs, (long) channels, 3L, 3L), values),
                OperandQuantization.perTensor(Grid.INT8_SYMMETRIC, 1.5f))
            .amax();

    for (int output = 0; output < outputs; output++) {
      FakeQuantizer quantizer = FakeQuantizer.of(QuantizedType.INT8, amax[output]);
      byte[][] codes = new byte[positions][channels];
      for (int channel = 0; channel < channels; channel++) {
        for (int position = 0; position < positions; position++) {
          codes[position][channel] =
              quantizer.encode(values[(output * channels + channel) * positions + position]);
        }
      }
      for (byte[] atPosition : codes) {
        for (int channel = 0; channel + 1 < channels; channel += 2) {
          assertThat(CodePairs.overflow(atPosition[channel], atPosition[channel + 1])).isFalse();
        }
      }
      for (int i = 0; i + 1 < channels * positions; i += 2) {
        byte one = codes[i / channels][i % channels];
        byte other = codes[(i + 1) / channels][(i + 1) % channels];
        assertThat(CodePairs.overflow(one, other)).isFalse();
      }
    }
  }
}
