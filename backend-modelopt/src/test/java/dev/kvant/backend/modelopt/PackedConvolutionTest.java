package dev.kvant.backend.modelopt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.api.Device;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.Requirement;
import dev.kvant.api.SavedModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.spi.ModelRunner;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.runtime.TorchScriptRunnerProvider;
import dev.kvant.torch.tensor.StoredTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Convolutions of integers in the archive for a CPU. */
class PackedConvolutionTest {

  private static final float INPUT_AMAX = 127f / 64;

  /** All weights reach it; its scale times that of the input is 2^-13. */
  private static final float WEIGHT_AMAX = 127f / 128;

  /** Far below one unit of a sum, and above the last bits of the largest ones. */
  private static final float LAST_BITS = 0x1p-16f;

  private static final List<String> PLANES =
      List.of(
          "plain",
          "twin",
          "strided",
          "dilated",
          "grouped",
          "same",
          "valid",
          "uneven",
          "reflecting",
          "depthwise",
          "small",
          "narrow");

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"planes.pt", "planes_traced.pt"})
  void gives_what_sums_of_integer_products_give_whatever_the_geometry(String model) {
    List<float[]> outputs = run(path(quantized(model, "*", image())), image());

    for (Map.Entry<String, IntegerConvolution> plane : planes().entrySet()) {
      assertEqual(
          plane.getKey(),
          outputs.get(PLANES.indexOf(plane.getKey())),
          expected(model, plane.getKey(), plane.getValue(), image()));
    }
  }

  private static Map<String, IntegerConvolution> planes() {
    return Map.of(
        "plain", of(List.of(1, 1), List.of(1, 1), List.of(1, 1), 1),
        "twin", of(List.of(1, 1), List.of(1, 1), List.of(1, 1), 1),
        "strided", of(List.of(2, 1), List.of(2, 0), List.of(1, 1), 1),
        "dilated", of(List.of(1, 1), List.of(0, 0), List.of(1, 2), 1),
        "grouped", of(List.of(1, 1), List.of(1, 1), List.of(1, 1), 2),
        "same", of(List.of(1, 1), List.of(2, 2), List.of(2, 1), 1),
        "valid", of(List.of(1, 1), List.of(0, 0), List.of(1, 1), 1));
  }

  @Test
  void convolves_rows_and_volumes_too() {
    Tensor row = numbers(2, 16, 21);
    assertEqual(
        "rows",
        run(path(quantized("rows.pt", "*", row)), row).get(0),
        expected("rows.pt", "", of(List.of(2), List.of(3), List.of(1), 1), row));
    Tensor volume = numbers(2, 8, 4, 7, 5);
    assertEqual(
        "volumes",
        run(path(quantized("volumes.pt", "*", volume)), volume).get(0),
        expected(
            "volumes.pt", "", of(List.of(1, 2, 1), List.of(1, 0, 2), List.of(1, 1, 1), 1), volume));
  }

  @Test
  void takes_an_input_without_a_batch_and_a_batch_of_none() {
    Tensor row = numbers(2, 16, 21);
    Path artifact = path(quantized("rows.pt", "*", row));
    float[] both = run(artifact, row).get(0);
    Tensor first = Tensor.ofFloats(Arrays.copyOf(row.toFloats(), 16 * 21), 16, 21);

    assertThat(run(artifact, first).get(0)).isEqualTo(Arrays.copyOf(both, both.length / 2));
    try (ModelRunner runner = new TorchScriptRunnerProvider().open(artifact, Device.CPU)) {
      Tensor none =
          runner
              .run(TensorBatch.of(Tensor.ofFloats(new float[0], 0, 16, 21)))
              .values()
              .iterator()
              .next();
      assertThat(none.shape()).isEqualTo(List.of(0L, 32L, 10L));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "uneven, multiplied in floating point, as many zeros on each side",
    "reflecting, multiplied in floating point, its code is not one convolution of its input",
    "depthwise, input is not rounded, each of its channels has a kernel of its own",
    "small, input is not rounded, it has only 576 weights",
    "narrow, input is not rounded, a value of its input has only 30 products"
  })
  void says_what_stays_in_floating_point_and_why(String module, String what, String why) {
    SavedModel saved = quantized("planes.pt", "*", image());

    assertThat(report(saved, module).note()).contains(what, why);
    for (String plain : planes().keySet()) {
      assertThat(report(saved, plain).note()).as(plain).isNull();
    }
  }

  @Test
  void leaves_an_input_as_it_is_where_int8_does_not_pay() {
    List<float[]> quantized = run(path(quantized("planes.pt", "*", image())), image());
    List<float[]> original = run(model("planes.pt"), image());

    for (String module : List.of("depthwise", "small", "narrow")) {
      int place = PLANES.indexOf(module);
      assertThat(quantized.get(place)).as(module).isEqualTo(original.get(place));
    }
    int place = PLANES.indexOf("reflecting");
    assertThat(quantized.get(place)).isNotEqualTo(original.get(place));
  }

  @Test
  void leaves_another_instance_of_the_class_as_it_is() {
    List<float[]> quantized = run(path(quantized("planes.pt", "plain", image())), image());

    assertEqual(
        "plain",
        quantized.get(0),
        expected("planes.pt", "plain", Objects.requireNonNull(planes().get("plain")), image()));
    assertThat(quantized.get(1)).isEqualTo(run(model("planes.pt"), image()).get(1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"chain.pt", "viewed.pt"})
  void gives_the_same_whether_tensors_lie_row_by_row_or_channels_last(String model) {
    SavedModel saved = quantized(model, "*", image());
    float[] portable =
        run(
                path(quantization(model, "*", image()).option("target", "portable").into(folder)),
                image())
            .get(0);

    assertThat(run(path(saved), image()).get(0)).isEqualTo(portable);
  }

  @Test
  void stores_a_byte_for_each_weight() throws IOException {
    SavedModel saved = quantized("chain.pt", "*", image());

    long scales = 32 * Float.BYTES;
    ModuleReport first = report(saved, "first");
    assertThat(first.bytesBefore() - first.bytesAfter())
        .isEqualTo(32 * 16 * 9 * (Float.BYTES - 1) - scales);
    try (ScriptModel artifact = TestModels.script(path(saved))) {
      for (String module : List.of("first", "second")) {
        assertThat(artifact.tensor(module, "weight").orElseThrow().elements()).isZero();
      }
    }
    assertThat(Files.size(path(saved))).isLessThan(Files.size(model("chain.pt")) / 2);
  }

  @Test
  void requires_the_libtorch_that_has_the_operator() {
    assertThat(quantized("chain.pt", "*", image()).report().requirements())
        .contains(
            Requirement.version(
                "libtorch", "2.7", "int8 convolutions in quantized_model_modelopt.pt"));
  }

  @Test
  void runs_in_several_threads_from_the_first_call_on() throws Exception {
    Path artifact = path(quantized("chain.pt", "*", image()));
    float[] expected = run(artifact, image()).get(0);
    int threads = 4;
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try (ModelRunner runner = new TorchScriptRunnerProvider().open(artifact, Device.CPU)) {
      List<Future<float[]>> results = new ArrayList<>();
      for (int i = 0; i < 4 * threads; i++) {
        results.add(
            pool.submit(
                () -> runner.run(TensorBatch.of(image())).values().iterator().next().toFloats()));
      }
      for (Future<float[]> result : results) {
        assertThat(result.get()).isEqualTo(expected);
      }
    } finally {
      pool.shutdownNow();
    }
  }

  private static IntegerConvolution of(
      List<Integer> stride, List<Integer> padding, List<Integer> dilation, int groups) {
    return new IntegerConvolution(INPUT_AMAX, stride, padding, dilation, groups);
  }

  private static void assertEqual(String what, float[] actual, float[] expected) {
    assertThat(actual).as(what).containsExactly(expected, within(LAST_BITS));
  }

  private static float[] expected(
      String model, String module, IntegerConvolution convolution, Tensor input) {
    try (ScriptModel script = TestModels.script(model(model))) {
      StoredTensor weight = script.tensor(module, "weight").orElseThrow();
      return convolution.of(
          input,
          floats(Optional.of(weight)),
          weight.shape(),
          amax(weight),
          floats(script.tensor(module, "bias")));
    }
  }

  /** The ranges of the outputs with which no pair of products overflows without VNNI. */
  private static float[] amax(StoredTensor weight) {
    float[] amax = new float[Math.toIntExact(weight.shape().get(0))];
    Arrays.fill(amax, WEIGHT_AMAX);
    List<Long> shape = new ArrayList<>(Collections.nCopies(weight.shape().size(), 1L));
    shape.set(0, (long) amax.length);
    return KernelPairs.fit(weight, new OperandQuantization(Grid.INT8_SYMMETRIC, amax, shape))
        .amax();
  }

  private static float[] floats(Optional<StoredTensor> tensor) {
    if (tensor.isEmpty()) {
      return new float[0];
    }
    ByteBuffer bytes =
        ByteBuffer.allocate((int) tensor.get().bytes()).order(ByteOrder.LITTLE_ENDIAN);
    tensor.get().read(0, bytes);
    float[] values = new float[(int) tensor.get().elements()];
    bytes.flip().asFloatBuffer().get(values);
    return values;
  }

  private SavedModel quantized(String model, String pattern, Tensor like) {
    return quantization(model, pattern, like).option("target", "cpu").into(folder);
  }

  private static Quantization quantization(String model, String pattern, Tensor like) {
    return Quantization.of(model(model))
        .rule(pattern, "int8")
        .option("weights", "per_channel")
        .data(
            Data.constant(INPUT_AMAX, like.shape().stream().mapToLong(Long::longValue).toArray()));
  }

  private static Path path(SavedModel saved) {
    return saved.artifacts().get(1).path();
  }

  private static Path model(String name) {
    return TestModels.model("convolutions/" + name);
  }

  private static ModuleReport report(SavedModel saved, String module) {
    return saved.report().modules().stream()
        .filter(report -> report.decision().module().equals(module))
        .findFirst()
        .orElseThrow();
  }

  private static Tensor image() {
    return numbers(2, 16, 9, 10);
  }

  /** Numbers of both signs, some of them beyond the range. */
  private static Tensor numbers(long... shape) {
    var random = new Random(7);
    long elements = 1;
    for (long extent : shape) {
      elements *= extent;
    }
    float[] values = new float[(int) elements];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensor.ofFloats(values, shape);
  }

  private static List<float[]> run(Path model, Tensor input) {
    try (ModelRunner runner = new TorchScriptRunnerProvider().open(model, Device.CPU)) {
      return runner.run(TensorBatch.of(input)).values().stream().map(Tensor::toFloats).toList();
    }
  }
}
