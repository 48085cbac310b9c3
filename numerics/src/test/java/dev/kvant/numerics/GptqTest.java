package dev.kvant.numerics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.kvant.numerics.observer.Gram;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("GPTQ")
class GptqTest {

  private static final double DAMPING = 0.01;

  /** Vectors whose elements depend on each other, and have different magnitudes. */
  private static float[] inputs(int size, int count) {
    Random random = new Random(7);
    float[] vectors = new float[size * count];
    for (int vector = 0; vector < count; vector++) {
      float common = (float) random.nextGaussian();
      float last = 0;
      for (int i = 0; i < size; i++) {
        last = 0.7f * last + (float) random.nextGaussian() + 0.5f * common;
        vectors[vector * size + i] = last * (1 + i % 5);
      }
    }
    return vectors;
  }

  private static float[] weights(int count) {
    Random random = new Random(8);
    float[] weights = new float[count];
    for (int i = 0; i < count; i++) {
      weights[i] = (float) random.nextGaussian();
    }
    return weights;
  }

  private static Gram gram(int size, float[] vectors) {
    Gram gram = Gram.ofProducts(size);
    gram.observe(vectors);
    return gram;
  }

  private static final class Result {

    private final BlockStep[] steps;
    private final byte[] codes;

    Result(int steps, int codes) {
      this.steps = new BlockStep[steps];
      this.codes = new byte[codes];
    }

    BlockStep[] steps() {
      return steps;
    }

    byte[] codes() {
      return codes;
    }

    float restored(BlockQuantizer quantizer, int size, int blockSize, int index) {
      int blocks = (size + blockSize - 1) / blockSize;
      BlockStep step = steps[index / size * blocks + index % size / blockSize];
      return quantizer.decode(codes[index] & 0xFF, step);
    }
  }

  private static Result quantize(Gptq gptq, BlockQuantizer quantizer, int blockSize, float[] rows) {
    int blocks = (gptq.size() + blockSize - 1) / blockSize;
    Result result = new Result(rows.length / gptq.size() * blocks, rows.length);
    gptq.quantize(rows, quantizer, blockSize, result.steps(), result.codes());
    return result;
  }

  /** As the paper has it: updates by the Cholesky factor of the inverse, one row at a time. */
  private static Result byThePaper(
      Gram inputs, BlockQuantizer quantizer, int blockSize, float[] rows) {
    int size = inputs.size();
    double[][] h = new double[size][size];
    double mean = Arrays.stream(inputs.squares()).average().orElseThrow();
    for (int i = 0; i < size; i++) {
      double[] row = inputs.row(i);
      for (int k = i; k < size; k++) {
        h[i][k] = row[k - i];
        h[k][i] = row[k - i];
      }
      h[i][i] += DAMPING * mean;
    }
    double[][] u = upperCholesky(inverse(h));
    double[] importance = new double[size];
    for (int i = 0; i < size; i++) {
      importance[i] = 1 / (u[i][i] * u[i][i]);
    }
    int blocks = (size + blockSize - 1) / blockSize;
    Result result = new Result(rows.length / size * blocks, rows.length);
    for (int row = 0; row < rows.length / size; row++) {
      double[] w = new double[size];
      for (int i = 0; i < size; i++) {
        w[i] = rows[row * size + i];
      }
      BlockStep step = null;
      for (int j = 0; j < size; j++) {
        if (step == null || j % blockSize == 0) {
          float[] current = new float[Math.min(blockSize, size - j)];
          for (int i = 0; i < current.length; i++) {
            current[i] = (float) w[j + i];
          }
          step = new BlockSearch(quantizer).step(current, 0, current.length, importance, j);
          result.steps()[row * blocks + j / blockSize] = step;
        }
        int code = quantizer.encode((float) w[j], step);
        result.codes()[row * size + j] = (byte) code;
        double error = (w[j] - quantizer.decode(code, step)) / u[j][j];
        for (int k = j; k < size; k++) {
          w[k] -= error * u[j][k];
        }
      }
    }
    return result;
  }

  private static double[][] inverse(double[][] matrix) {
    int size = matrix.length;
    double[][] left = new double[size][];
    double[][] right = new double[size][size];
    for (int i = 0; i < size; i++) {
      left[i] = matrix[i].clone();
      right[i][i] = 1;
    }
    for (int i = 0; i < size; i++) {
      double pivot = left[i][i];
      for (int k = 0; k < size; k++) {
        left[i][k] /= pivot;
        right[i][k] /= pivot;
      }
      for (int row = 0; row < size; row++) {
        double factor = row == i ? 0 : left[row][i];
        for (int k = 0; k < size; k++) {
          left[row][k] -= factor * left[i][k];
          right[row][k] -= factor * right[i][k];
        }
      }
    }
    return right;
  }

  private static double[][] upperCholesky(double[][] matrix) {
    int size = matrix.length;
    double[][] upper = new double[size][size];
    for (int i = 0; i < size; i++) {
      for (int k = i; k < size; k++) {
        double sum = matrix[i][k];
        for (int row = 0; row < i; row++) {
          sum -= upper[row][i] * upper[row][k];
        }
        upper[i][k] = k == i ? Math.sqrt(sum) : sum / upper[i][i];
      }
    }
    return upper;
  }

  @ParameterizedTest
  @CsvSource({"4, false, 16, 64", "4, true, 16, 64", "8, false, 32, 80", "4, false, 32, 45"})
  void chooses_the_codes_scales_and_zero_points_of_the_paper(
      int bits, boolean symmetric, int blockSize, int size) {
    BlockQuantizer quantizer = new BlockQuantizer(bits, symmetric);
    Gram inputs = gram(size, inputs(size, 300));
    float[] rows = weights(5 * size);

    Result result = quantize(Gptq.of(inputs, DAMPING).orElseThrow(), quantizer, blockSize, rows);

    Result expected = byThePaper(inputs, quantizer, blockSize, rows);
    assertThat(result.codes()).isEqualTo(expected.codes());
    for (int i = 0; i < expected.steps().length; i++) {
      assertThat(result.steps()[i].zeroPoint()).isEqualTo(expected.steps()[i].zeroPoint());
      // The order of operations differs, so the last bits of updated weights do.
      assertThat(result.steps()[i].scale() / expected.steps()[i].scale())
          .isBetween(1 - 1e-5f, 1 + 1e-5f);
    }
  }

  @Test
  void changes_outputs_much_less_than_the_nearest_codes() {
    int size = 96;
    float[] vectors = inputs(size, 400);
    float[] rows = weights(8 * size);
    BlockQuantizer quantizer = new BlockQuantizer(4, false);

    Result result =
        quantize(Gptq.of(gram(size, vectors), DAMPING).orElseThrow(), quantizer, 32, rows);

    double nearest = 0;
    double chosen = 0;
    for (int vector = 0; vector < 400; vector++) {
      for (int row = 0; row < 8; row++) {
        double nearestError = 0;
        double chosenError = 0;
        for (int i = 0; i < size; i++) {
          int index = row * size + i;
          float x = vectors[vector * size + i];
          int from = index / 32 * 32;
          BlockStep step = quantizer.step(rows, from, from + 32);
          float rounded = quantizer.decode(quantizer.encode(rows[index], step), step);
          nearestError += x * ((double) rounded - rows[index]);
          chosenError += x * ((double) result.restored(quantizer, size, 32, index) - rows[index]);
        }
        nearest += nearestError * nearestError;
        chosen += chosenError * chosenError;
      }
    }
    assertThat(chosen).isLessThan(0.5 * nearest);
  }

  @Test
  void takes_the_nearest_codes_where_inputs_do_not_depend_on_each_other() {
    int size = 32;
    float[] vectors = new float[size * size];
    for (int i = 0; i < size; i++) {
      vectors[i * size + i] = 1 + i;
    }
    Gram inputs = gram(size, vectors);
    float[] rows = weights(size);
    BlockQuantizer quantizer = new BlockQuantizer(4, false);

    Result result = quantize(Gptq.of(inputs, DAMPING).orElseThrow(), quantizer, 16, rows);

    BlockSearch search = new BlockSearch(quantizer);
    double[] importance = inputs.squares();
    double mean = Arrays.stream(importance).average().orElseThrow();
    Arrays.setAll(importance, i -> inputs.squares()[i] + DAMPING * mean);
    for (int i = 0; i < size; i++) {
      int from = i / 16 * 16;
      BlockStep step = search.step(rows, from, from + 16, importance, from);
      assertThat(result.codes()[i]).isEqualTo((byte) quantizer.encode(rows[i], step));
    }
  }

  @Test
  void works_with_fewer_inputs_than_weights_and_with_inputs_that_are_always_zero() {
    int size = 48;
    float[] vectors = inputs(size, 3);
    for (int vector = 0; vector < 3; vector++) {
      vectors[vector * size + 5] = 0;
    }
    Gram inputs = gram(size, vectors);
    float[] rows = weights(size);
    BlockQuantizer quantizer = new BlockQuantizer(4, false);

    Result result = quantize(Gptq.of(inputs, DAMPING).orElseThrow(), quantizer, 16, rows);

    double error = 0;
    for (int i = 0; i < size; i++) {
      error = Math.max(error, Math.abs(result.restored(quantizer, size, 16, i) - rows[i]));
    }
    assertThat(error).isLessThan(2);
  }

  @Test
  void has_nothing_to_go_by_where_all_inputs_are_zero() {
    assertThat(Gptq.of(gram(3, new float[6]), DAMPING)).isEmpty();
  }

  @Test
  void refuses_what_it_cannot_work_with() {
    Gram inputs = gram(2, new float[] {1, 2, 3, 5});
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Gptq.of(inputs, 0))
        .withMessageContaining("damping");
    Gram squares = Gram.ofSquares(2);
    squares.observe(new float[] {1, 2});
    assertThatIllegalStateException().isThrownBy(() -> Gptq.of(squares, DAMPING));
    Gptq gptq = Gptq.of(inputs, DAMPING).orElseThrow();
    BlockQuantizer quantizer = new BlockQuantizer(4, false);
    assertThatExceptionOfType(NonFiniteValueException.class)
        .isThrownBy(
            () ->
                gptq.quantize(
                    new float[] {1, 2, 3, Float.NaN}, quantizer, 16, new BlockStep[2], new byte[4]))
        .satisfies(e -> assertThat(e.index()).isEqualTo(3));
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> gptq.quantize(new float[3], quantizer, 16, new BlockStep[1], new byte[3]));
  }
}
