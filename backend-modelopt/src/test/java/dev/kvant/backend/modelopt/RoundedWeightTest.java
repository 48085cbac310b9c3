package dev.kvant.backend.modelopt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.ElementType;
import dev.kvant.numerics.FakeQuantizer;
import dev.kvant.numerics.FloatType;
import dev.kvant.numerics.QuantizedType;
import dev.kvant.numerics.observer.Grid;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Weights of more elements than one block, so that buffers are used again. */
class RoundedWeightTest {

  private static final int ROWS = 3;
  private static final int COLUMNS = 200_001;
  private static final List<Long> SHAPE = List.of((long) ROWS, (long) COLUMNS);
  private static final float[] AMAX = {1.5f, 2, 3};

  @ParameterizedTest
  @EnumSource(FloatType.class)
  void values_are_those_of_the_fake_quantizer_in_every_block(FloatType type) throws IOException {
    float[] values = values(type);
    ByteBuffer written =
        written(
            type,
            values,
            new OperandQuantization(Grid.INT8_SYMMETRIC, AMAX, List.of(3L, 1L)),
            false);

    for (int i = 0; i < values.length; i++) {
      FakeQuantizer quantizer = FakeQuantizer.of(QuantizedType.INT8, AMAX[i / COLUMNS]);
      assertThat(type.get(written, i))
          .as("element %d", i)
          .isEqualTo(type.round(quantizer.round(values[i])));
    }
  }

  @ParameterizedTest
  @EnumSource(FloatType.class)
  void codes_are_those_of_the_fake_quantizer_in_every_block(FloatType type) throws IOException {
    float[] values = values(type);
    ByteBuffer written =
        written(type, values, OperandQuantization.perTensor(Grid.INT8_SYMMETRIC, 2), true);

    FakeQuantizer quantizer = FakeQuantizer.of(QuantizedType.INT8, 2);
    for (int i = 0; i < values.length; i++) {
      assertThat(written.get(i)).as("element %d", i).isEqualTo(quantizer.encode(values[i]));
    }
  }

  private static float[] values(FloatType type) {
    Random random = new Random(7);
    float[] values = new float[ROWS * COLUMNS];
    for (int i = 0; i < values.length; i++) {
      values[i] = type.round((float) random.nextGaussian());
    }
    return values;
  }

  private static ByteBuffer written(
      FloatType type, float[] values, OperandQuantization quantization, boolean areCodes)
      throws IOException {
    ByteBuffer content =
        ByteBuffer.allocate(values.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    type.store(values, values.length, content, 0);
    RoundedWeight weight =
        new RoundedWeight(
            "fc", Tensors.of(ElementType.of(type.label()), SHAPE, content), quantization);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    if (areCodes) {
      weight.writeCodes(Channels.newChannel(bytes), (count, name) -> {});
    } else {
      weight.writeValues(Channels.newChannel(bytes), (count, name) -> {});
    }
    assertThat(bytes.size()).isEqualTo(values.length * (areCodes ? 1 : type.bytes()));
    return ByteBuffer.wrap(bytes.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
  }
}
