package dev.kvant.numerics;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FloatTypeTest {

  @ParameterizedTest
  @EnumSource(FloatType.class)
  void elements_are_counted_from_the_start_of_the_buffer_whatever_its_position_is(FloatType type) {
    ByteBuffer buffer = ByteBuffer.allocate(4 * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    buffer.position(3 * type.bytes()).limit(3 * type.bytes());

    type.store(new float[] {1, -2, 0.5f, 9}, 3, buffer, 1);

    assertThat(buffer.position()).isEqualTo(3 * type.bytes());
    float[] loaded = new float[3];
    type.load(buffer, 1, loaded, 3);
    assertThat(loaded).containsExactly(1, -2, 0.5f);
    buffer.clear().position(type.bytes());
    assertThat(type.get(buffer, 0)).isZero();
    assertThat(type.get(buffer, 3)).isEqualTo(0.5f);
  }
}
