package dev.kvant.kit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

@DisplayName("A contiguous tensor")
@DisplayNameGeneration(ReplaceUnderscores.class)
class ContiguousTensorTest {

  private static final ElementType BLOCKS = new ElementType("q8_0", 32, 34, false);

  @Test
  void reads_whole_blocks_from_where_it_is_asked_to() {
    byte[] bytes = new byte[2 * 34];
    bytes[34] = 7;
    ContiguousTensor tensor =
        ContiguousTensor.of("w", BLOCKS, List.of(2L, 32L), ByteBuffer.wrap(bytes));
    ByteBuffer target = ByteBuffer.allocate(34);

    tensor.read(32, target);

    assertThat(target.get(0)).isEqualTo((byte) 7);
  }

  @Test
  void refuses_a_part_of_a_block() {
    ContiguousTensor tensor =
        ContiguousTensor.of("w", BLOCKS, List.of(2L, 32L), ByteBuffer.allocate(2 * 34));

    assertThatIllegalArgumentException().isThrownBy(() -> tensor.read(1, ByteBuffer.allocate(34)));
    assertThatIllegalArgumentException().isThrownBy(() -> tensor.read(0, ByteBuffer.allocate(33)));
  }

  @Test
  void refuses_to_read_beyond_its_end() {
    ContiguousTensor tensor =
        ContiguousTensor.of("w", ElementType.INT8, List.of(4L), ByteBuffer.allocate(4));

    assertThatThrownBy(() -> tensor.read(2, ByteBuffer.allocate(3)))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void is_refused_if_its_bytes_do_not_match_its_shape() {
    for (List<Long> shape : List.of(List.of(3L), List.of(-4L), List.of(1L << 62, 1L << 62))) {
      assertThatThrownBy(
              () -> ContiguousTensor.of("w", ElementType.FLOAT32, shape, ByteBuffer.allocate(16)))
          .isInstanceOf(ModelFormatException.class)
          .hasMessage(
              "tensor 'w' has 16 bytes, which do not match float32 elements of shape %s", shape);
    }
  }
}
