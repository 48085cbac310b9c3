package dev.kvant.backend.compressedtensors.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ElementType;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.QuantizationListener;
import dev.kvant.kit.ByteProgress;
import dev.kvant.kit.OutputTensor;
import dev.kvant.kit.WeightValues;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A weight on its way to a file")
class CodedWeightTest {

  private static final int ROWS = 16;
  private static final int COLUMNS = 64;

  private final ByteProgress progress =
      new ByteProgress(new QuantizationListener() {}, "quantize", 4L * ROWS * COLUMNS);

  private static final class Gaussian implements ModelTensor {

    private final float[] values = new float[ROWS * COLUMNS];

    Gaussian(Random random) {
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) random.nextGaussian();
      }
    }

    @Override
    public ElementType elementType() {
      return ElementType.FLOAT32;
    }

    @Override
    public List<Long> shape() {
      return List.of((long) ROWS, (long) COLUMNS);
    }

    @Override
    public String identity() {
      return "gaussian";
    }

    @Override
    public void read(long firstElement, ByteBuffer target) {
      ByteBuffer floats = target.order(ByteOrder.LITTLE_ENDIAN);
      for (int i = (int) firstElement; floats.hasRemaining(); i++) {
        floats.putFloat(values[i]);
      }
    }
  }

  private static CodedWeight uint4() {
    return new CodedWeight(
        new WeightValues("fc.weight", new Gaussian(new Random(3))),
        new Scheme(Numbers.UINT4, Granularity.group(32), false),
        Layout.COMPRESSED_TENSORS,
        false,
        null,
        2);
  }

  private byte[] write(OutputTensor tensor) throws IOException {
    var out = new ByteArrayOutputStream();
    tensor.content().writeTo(out, progress);
    return out.toByteArray();
  }

  @Test
  void holds_scales_and_zero_points_until_their_tensors_are_written() throws IOException {
    CodedWeight weight = uint4();
    List<OutputTensor> tensors = weight.tensors();
    assertThat(tensors.stream().map(OutputTensor::name).toList())
        .containsExactly(
            "fc.weight_packed", "fc.weight_scale", "fc.weight_zero_point", "fc.weight_shape");
    assertThat(weight.heldBytes()).isZero();

    write(tensors.get(0));
    // Two groups in each row: a scale of 4 bytes and a zero point of one.
    assertThat(weight.heldBytes()).isEqualTo(ROWS * 2 * (4 + 1));
    double measured = weight.error().sqnrDecibels();
    assertThat(measured).isBetween(19.0, 24.0);

    assertThat(write(tensors.get(1))).hasSize(ROWS * 2 * 4);
    assertThat(weight.heldBytes()).isEqualTo(ROWS * 2);
    assertThat(write(tensors.get(2))).hasSize(ROWS / 8 * 2 * 4);
    assertThat(weight.heldBytes()).isZero();
    assertThat(weight.error().sqnrDecibels()).isEqualTo(measured);
    assertThat(weight.tensors().stream().mapToLong(OutputTensor::bytes).sum())
        .isEqualTo(ROWS * COLUMNS / 2L + ROWS * 2 * 4 + ROWS / 8 * 2 * 4 + 16);
  }

  @Test
  void holds_nothing_after_codes_that_could_not_be_written() {
    CodedWeight weight = uint4();
    var full =
        new OutputStream() {
          @Override
          public void write(int value) throws IOException {
            throw new IOException("no space left");
          }
        };

    assertThatThrownBy(() -> weight.tensors().get(0).content().writeTo(full, progress))
        .hasMessageContaining("no space left");
    assertThat(weight.heldBytes()).isZero();
  }

  @Test
  void has_no_scales_to_write_before_its_codes_or_twice() throws IOException {
    CodedWeight weight = uint4();
    OutputTensor scales = weight.tensors().get(1);
    assertThatThrownBy(() -> write(scales))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the tensors of 'fc.weight' must be written once each, the codes first");
    write(weight.tensors().get(0));
    write(scales);

    assertThatThrownBy(() -> write(scales)).isInstanceOf(IllegalStateException.class);
  }
}
