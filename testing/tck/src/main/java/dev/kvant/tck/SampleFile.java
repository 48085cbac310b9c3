package dev.kvant.tck;

import dev.kvant.api.ElementType;
import dev.kvant.api.QuantizationListener;
import dev.kvant.kit.ByteProgress;
import dev.kvant.kit.OutputTensor;
import dev.kvant.kit.SafetensorsWriter;
import dev.kvant.numerics.FloatType;
import dev.kvant.spi.ModelFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;

/**
 * Makes a small model to try a backend on: a safetensors file whose tensors hold random numbers
 * that are the same in every run.
 *
 * <pre>{@code
 * SampleFile.named("two layers in float16")
 *     .tensor("fc1.weight", ElementType.FLOAT16, 16, 64)
 *     .tensor("fc1.bias", ElementType.FLOAT16, 16)
 *     .openedBy(new TorchFormat());
 * }</pre>
 *
 * @since 0.1.0
 */
public final class SampleFile {

  private static final Path FOLDER = Path.of("target", "kvant-samples");

  private final String name;
  private final List<OutputTensor> tensors = new ArrayList<>();
  private final Random random;

  private SampleFile(String name) {
    this.name = Objects.requireNonNull(name, "name");
    this.random = new Random(name.hashCode());
  }

  /**
   * Begins a file.
   *
   * @param name what to call the model in the names of tests; also the name of the file, which goes
   *     into {@code target/kvant-samples}
   */
  public static SampleFile named(String name) {
    return new SampleFile(name);
  }

  /**
   * Adds a tensor of normally distributed numbers.
   *
   * @param tensor its qualified name
   * @param elementType float32, float16 or bfloat16
   * @param shape its dimensions, outermost first
   */
  public SampleFile tensor(String tensor, ElementType elementType, long... shape) {
    float[] values = new float[elements(shape)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return tensor(tensor, elementType, shape, values);
  }

  /**
   * Adds a tensor whose last value is NaN.
   *
   * @param tensor its qualified name
   * @param elementType float32, float16 or bfloat16
   * @param shape its dimensions, outermost first
   */
  public SampleFile tensorWithNan(String tensor, ElementType elementType, long... shape) {
    float[] values = new float[elements(shape)];
    values[values.length - 1] = Float.NaN;
    return tensor(tensor, elementType, shape, values);
  }

  /**
   * Adds a tensor of those values.
   *
   * @param tensor its qualified name
   * @param elementType float32, float16 or bfloat16
   * @param shape its dimensions, outermost first
   * @param values as many as the shape has elements
   */
  public SampleFile tensor(String tensor, ElementType elementType, long[] shape, float... values) {
    FloatType type = FloatType.find(elementType.label()).orElseThrow();
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    type.store(values, values.length, bytes, 0);
    tensors.add(
        new OutputTensor(
            tensor,
            elementType,
            Arrays.stream(shape).boxed().toList(),
            (out, progress) -> out.write(bytes.array())));
    return this;
  }

  private static int elements(long... shape) {
    return Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact));
  }

  /** Writes the file, over one of the same name. */
  public Path write() {
    try {
      Path file = Files.createDirectories(FOLDER).resolve(name + ".safetensors");
      SafetensorsWriter.write(file, tensors, new ByteProgress(QuantizationListener.NONE, name, 0));
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException("the sample '%s' cannot be written".formatted(name), e);
    }
  }

  /** Writes the file and makes a sample of it, which that format opens. */
  public SampleModel openedBy(ModelFormat format) {
    return new SampleModel(name, write(), format);
  }
}
