package dev.kvant.backend.modelopt;

import dev.kvant.api.Tensor;
import dev.kvant.numerics.FakeQuantizer;
import dev.kvant.numerics.QuantizedType;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/**
 * A convolution of int8 codes, computed by its definition: sums of products of integers.
 *
 * @param inputAmax the range of the input
 * @param stride the distance between outputs, for each dimension of space
 * @param padding the zeros before and behind
 * @param dilation the distance between the inputs of one output
 * @param groups the number of groups of channels
 */
record IntegerConvolution(
    float inputAmax,
    List<Integer> stride,
    List<Integer> padding,
    List<Integer> dilation,
    int groups) {

  private static final int SPACE = 3;

  /**
   * The same along one dimension after another as a volume has, one step each where it has none.
   */
  private static int[] space(List<Integer> numbers, int filler) {
    return Stream.concat(
            Collections.nCopies(SPACE - numbers.size(), filler).stream(), numbers.stream())
        .mapToInt(Integer::intValue)
        .toArray();
  }

  private static int[] volume(List<Long> shape) {
    return space(shape.stream().skip(2).map(Long::intValue).toList(), 1);
  }

  /**
   * The result, rounded once.
   *
   * @param amax the range of the weights of each output
   */
  float[] of(Tensor input, float[] weights, List<Long> weightShape, float[] amax, float[] bias) {
    byte[] values = codes(input.toFloats(), new float[] {inputAmax});
    byte[] codes = codes(weights, amax);
    int[] in = volume(input.shape());
    int[] kernel = volume(weightShape);
    int[] steps = space(stride, 1);
    int[] zeros = space(padding, 0);
    int[] gaps = space(dilation, 1);
    int[] out = new int[SPACE];
    for (int i = 0; i < SPACE; i++) {
      out[i] = (in[i] + 2 * zeros[i] - gaps[i] * (kernel[i] - 1) - 1) / steps[i] + 1;
    }
    int batch = Math.toIntExact(input.shape().get(0));
    int channels = Math.toIntExact(input.shape().get(1));
    int outputs = Math.toIntExact(weightShape.get(0));
    int inGroup = Math.toIntExact(weightShape.get(1));
    float[] result = new float[batch * outputs * out[0] * out[1] * out[2]];
    int at = 0;
    for (int n = 0; n < batch; n++) {
      for (int o = 0; o < outputs; o++) {
        double scale = (double) inputAmax / 127 * amax[o] / 127;
        int firstChannel = o / (outputs / groups) * inGroup;
        for (int z = 0; z < out[0]; z++) {
          for (int y = 0; y < out[1]; y++) {
            for (int x = 0; x < out[2]; x++) {
              long sum = 0;
              int weight = o * inGroup * kernel[0] * kernel[1] * kernel[2];
              for (int c = 0; c < inGroup; c++) {
                for (int kz = 0; kz < kernel[0]; kz++) {
                  for (int ky = 0; ky < kernel[1]; ky++) {
                    for (int kx = 0; kx < kernel[2]; kx++, weight++) {
                      int iz = z * steps[0] - zeros[0] + kz * gaps[0];
                      int iy = y * steps[1] - zeros[1] + ky * gaps[1];
                      int ix = x * steps[2] - zeros[2] + kx * gaps[2];
                      if (iz >= 0 && iz < in[0] && iy >= 0 && iy < in[1] && ix >= 0 && ix < in[2]) {
                        int place =
                            (((n * channels + firstChannel + c) * in[0] + iz) * in[1] + iy) * in[2]
                                + ix;
                        sum += (long) values[place] * codes[weight];
                      }
                    }
                  }
                }
              }
              result[at++] = (float) (sum * scale + (bias.length == 0 ? 0 : bias[o]));
            }
          }
        }
      }
    }
    return result;
  }

  private static byte[] codes(float[] values, float[] amax) {
    byte[] codes = new byte[values.length];
    int columns = values.length / amax.length;
    for (int row = 0; row < amax.length; row++) {
      FakeQuantizer quantizer = FakeQuantizer.of(QuantizedType.INT8, amax[row]);
      for (int i = row * columns; i < (row + 1) * columns; i++) {
        codes[i] = quantizer.encode(values[i]);
      }
    }
    return codes;
  }
}
