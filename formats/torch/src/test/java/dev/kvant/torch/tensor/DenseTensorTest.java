package dev.kvant.torch.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelFormatException;
import dev.kvant.spi.ByteSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DenseTensorTest {

  /** Bytes in memory that count how often they are read. */
  private static final class Memory implements ByteSource {

    private final byte[] bytes;
    private int reads;

    Memory(byte[] bytes) {
      this.bytes = bytes;
    }

    @Override
    public long size() {
      return bytes.length;
    }

    @Override
    public void read(long position, ByteBuffer target) {
      Objects.checkFromIndexSize(position, target.remaining(), size());
      reads++;
      target.put(bytes, (int) position, target.remaining());
    }
  }

  /** An int32 storage that holds 0, 1, 2 and so on. */
  private static Memory counting(int elements) {
    ByteBuffer bytes = ByteBuffer.allocate(elements * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < elements; i++) {
      bytes.putInt(i);
    }
    return new Memory(bytes.array());
  }

  private static DenseTensor int32(
      Memory memory, List<Long> shape, List<Long> strides, long offset) {
    return DenseTensor.of(
        "a tensor", ElementType.INT32, shape, strides, offset, new TensorStorage("0", memory));
  }

  private static List<Integer> read(DenseTensor tensor, long first, int count) {
    ByteBuffer target = ByteBuffer.allocate(count * Integer.BYTES);
    tensor.read(first, target);
    assertThat(target.hasRemaining()).isFalse();
    target.flip().order(ByteOrder.LITTLE_ENDIAN);
    List<Integer> values = new ArrayList<>();
    while (target.hasRemaining()) {
      values.add(target.getInt());
    }
    return values;
  }

  @Test
  void a_transposed_matrix_is_read_row_by_row() {
    DenseTensor tensor = int32(counting(6), List.of(3L, 2L), List.of(1L, 3L), 0);

    assertThat(tensor.isContiguous()).isFalse();
    assertThat(read(tensor, 0, 6)).containsExactly(0, 3, 1, 4, 2, 5);
    assertThat(read(tensor, 3, 2)).containsExactly(4, 2);
  }

  @Test
  void an_expanded_dimension_repeats_its_elements() {
    DenseTensor tensor = int32(counting(3), List.of(2L, 3L), List.of(0L, 1L), 0);

    assertThat(read(tensor, 0, 6)).containsExactly(0, 1, 2, 0, 1, 2);
  }

  @Test
  void a_scalar_has_one_element() {
    DenseTensor tensor = int32(counting(5), List.of(), List.of(), 4);

    assertThat(tensor.elements()).isEqualTo(1);
    assertThat(read(tensor, 0, 1)).containsExactly(4);
  }

  @Test
  void an_empty_tensor_reads_nothing_wherever_it_begins() {
    DenseTensor tensor = int32(counting(1), List.of(0L, 7L), List.of(7L, 1L), 9);

    assertThat(tensor.isContiguous()).isTrue();
    assertThat(read(tensor, 0, 0)).isEmpty();
  }

  @Test
  void strides_of_dimensions_of_one_do_not_matter() {
    assertThat(int32(counting(6), List.of(1L, 6L), List.of(99L, 1L), 0).isContiguous()).isTrue();
    assertThat(int32(counting(6), List.of(6L, 1L), List.of(1L, 77L), 0).isContiguous()).isTrue();
  }

  @Property(seed = "1", tries = 500)
  void any_part_of_any_layout_is_what_the_strides_say(
      @ForAll @IntRange(min = 1, max = 4) int dimensions, @ForAll @IntRange(min = 0) int seed) {
    var random = new Random(seed);
    List<Long> shape = new ArrayList<>();
    List<Long> strides = new ArrayList<>();
    for (int i = 0; i < dimensions; i++) {
      shape.add(1L + random.nextInt(5));
      strides.add((long) random.nextInt(30));
    }
    if (random.nextBoolean()) {
      strides = new ArrayList<>(DenseTensor.rowMajor(shape));
      Collections.shuffle(strides, random);
    }
    int offset = random.nextInt(4);
    DenseTensor tensor = int32(counting(800), shape, strides, offset);
    List<Integer> expected = new ArrayList<>();
    for (long index = 0; index < tensor.elements(); index++) {
      long rest = index;
      long place = offset;
      for (int i = dimensions - 1; i >= 0; i--) {
        place += rest % shape.get(i) * strides.get(i);
        rest /= shape.get(i);
      }
      expected.add((int) place);
    }
    int first = random.nextInt(expected.size());
    int count = random.nextInt(expected.size() - first + 1);

    assertThat(read(tensor, first, count)).isEqualTo(expected.subList(first, first + count));
  }

  /** The types that PyTorch has. */
  static Stream<ElementType> elementTypes() {
    return ElementType.standard().stream().filter(type -> type.blockElements() == 1);
  }

  @ParameterizedTest
  @MethodSource("elementTypes")
  void elements_of_every_size_are_gathered(ElementType type) {
    int size = type.bytes();
    byte[] bytes = new byte[6 * size];
    new Random(1).nextBytes(bytes);
    DenseTensor tensor =
        DenseTensor.of(
            "a tensor",
            type,
            List.of(3L, 2L),
            List.of(1L, 3L),
            0,
            new TensorStorage("0", new Memory(bytes)));
    ByteBuffer target = ByteBuffer.allocate(6 * size);

    tensor.read(0, target);

    int[] order = {0, 3, 1, 4, 2, 5};
    for (int i = 0; i < order.length; i++) {
      assertThat(Arrays.copyOfRange(target.array(), i * size, (i + 1) * size))
          .isEqualTo(Arrays.copyOfRange(bytes, order[i] * size, (order[i] + 1) * size));
    }
  }

  @Test
  void a_large_transposed_matrix_takes_few_reads_a_block() {
    Memory memory = counting(2048 * 1024);
    DenseTensor tensor = int32(memory, List.of(1024L, 2048L), List.of(1L, 1024L), 0);

    List<Integer> values = read(tensor, 512 * 2048, 64 * 2048);

    assertThat(values.get(2047)).isEqualTo(512 + 2047 * 1024);
    assertThat(values.get(2048)).isEqualTo(513);
    assertThat(memory.reads).isLessThan(32);
  }

  @Test
  void elements_that_lie_far_apart_are_read_one_by_one() {
    Memory memory = counting(1_000_001);
    DenseTensor tensor = int32(memory, List.of(3L), List.of(500_000L), 0);

    assertThat(read(tensor, 0, 3)).containsExactly(0, 500_000, 1_000_000);
    assertThat(memory.reads).isEqualTo(3);
  }

  @Test
  void elements_go_where_the_buffer_stands() {
    DenseTensor tensor = int32(counting(4), List.of(2L, 2L), List.of(1L, 2L), 0);
    ByteBuffer target = ByteBuffer.allocateDirect(40).order(ByteOrder.BIG_ENDIAN);
    target.position(8).limit(24);

    tensor.read(0, target);

    assertThat(target.position()).isEqualTo(24);
    assertThat(target.order()).isEqualTo(ByteOrder.BIG_ENDIAN);
    target.clear().order(ByteOrder.LITTLE_ENDIAN);
    assertThat(target.getInt(12)).isEqualTo(2);
  }

  @Test
  void a_tensor_that_reaches_outside_its_storage_is_an_error() {
    assertOutside(List.of(2L, 4L), List.of(4L, 1L), 0);
    assertOutside(List.of(2L, 3L), List.of(4L, 1L), 1);
    assertOutside(List.of(2L), List.of(7L), 0);
    assertOutside(List.of(), List.of(), 7);
    assertOutside(List.of(), List.of(), -1);
    assertOutside(List.of(2L), List.of(Long.MAX_VALUE), 0);
    assertOutside(List.of(Long.MAX_VALUE, 3L), List.of(0L, 0L), 0);
    assertOutside(List.of(Long.MAX_VALUE), List.of(0L), 0);
  }

  private static void assertOutside(List<Long> shape, List<Long> strides, long offset) {
    assertThatThrownBy(() -> int32(counting(7), shape, strides, offset))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("a tensor (int32, shape %s".formatted(shape))
        .hasMessageContaining("reaches outside its storage of 28 bytes");
  }

  @Test
  void negative_extents_and_strides_are_errors() {
    assertThatThrownBy(() -> int32(counting(7), List.of(-1L), List.of(1L), 0))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("negative");
    assertThatThrownBy(() -> int32(counting(7), List.of(2L), List.of(-1L), 3))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("negative");
  }

  @Test
  void a_shape_and_strides_of_different_lengths_are_an_error() {
    assertThatThrownBy(() -> int32(counting(7), List.of(2L), List.of(), 0))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("strides []");
  }

  @Test
  void reading_beyond_the_end_is_an_error() {
    DenseTensor tensor = int32(counting(6), List.of(3L, 2L), List.of(1L, 3L), 0);

    assertThatThrownBy(() -> tensor.read(5, ByteBuffer.allocate(8)))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> tensor.read(0, ByteBuffer.allocate(6)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("not a whole number of int32 elements");
  }
}
