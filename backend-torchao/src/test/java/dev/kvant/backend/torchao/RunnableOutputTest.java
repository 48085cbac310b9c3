package dev.kvant.backend.torchao;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Dtype;
import dev.kvant.api.Tensor;
import dev.kvant.torch.TorchModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("The runnable artifact, run by libtorch,")
class RunnableOutputTest {

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "resnet_scripted.pt,int8",
    "resnet_traced.pt,fp8_e4m3fn",
    "transformer_traced.pt,int8",
    "transformer_traced.pt,fp8_e4m3fn",
    "transformer_traced.pt,fp8_e5m2",
    "mixed.pt,int8",
    "mixed.pt,fp8_e4m3fn",
    "mixed_traced.pt,int8",
    "mixed_traced.pt,fp8_e5m2",
    "tied.pt,int8",
    "tied.pt,fp8_e5m2",
    "tied_traced.pt,int8",
    "tied_traced.pt,fp8_e4m3fn"
  })
  void computes_what_the_model_does_with_the_restored_weights(String model, String dtype)
      throws IOException {
    Path source = source(model);
    Path eightBit = quantized(source, dtype, "dequantize", "eight-bit");
    Path restored =
        quantized(Archives.withUnreadableCode(source, folder), dtype, "dequantize", "restored");

    // float16 and bfloat16 parts round their sums otherwise.
    double tolerance = model.startsWith("resnet") || model.startsWith("transformer") ? 1e-5 : 2e-3;
    assertThat(Outputs.difference(Outputs.of(eightBit, model), Outputs.of(restored, model)))
        .isLessThan(tolerance);
    assertThat(Outputs.difference(Outputs.of(restored, model), Outputs.of(source, model)))
        .isGreaterThan(0);
  }

  @ParameterizedTest
  @CsvSource({
    "resnet_scripted.pt",
    "resnet_traced.pt",
    "transformer_traced.pt",
    "mixed.pt",
    "mixed_traced.pt",
    "tied.pt"
  })
  void computes_nearly_the_same_with_int8pack(String model) {
    Path source = source(model);
    Path exact = quantized(source, "int8", "dequantize", "exact");
    Path packed = quantized(source, "int8", "int8pack", "packed");

    assertThat(Outputs.difference(Outputs.of(packed, model), Outputs.of(exact, model)))
        .isLessThan(2e-2)
        .isGreaterThan(0);
  }

  @ParameterizedTest
  @CsvSource({
    "resnet_traced.pt,0.02",
    "transformer_traced.pt,0.02",
    "mixed.pt,0.03",
    "tied.pt,0.02"
  })
  void stays_near_the_model_as_it_was(String model, double tolerance) {
    Path source = source(model);

    assertThat(
            Outputs.difference(
                Outputs.of(quantized(source, "int8", "dequantize", "int8"), model),
                Outputs.of(source, model)))
        .isLessThan(tolerance);
  }

  @Test
  void tells_instances_of_one_class_apart() throws IOException {
    Path source = source("mixed.pt");
    Path one = folder.resolve("one");
    Quantization.of(source).module("low.linear", Dtype.INT8).into(one);
    Path restored = folder.resolve("restored");
    Quantization.of(Archives.withUnreadableCode(source, folder))
        .module("low.linear", Dtype.INT8)
        .into(restored);

    assertThat(
            Outputs.difference(
                Outputs.of(one.resolve(TorchaoBackend.RUNNABLE), "mixed.pt"),
                Outputs.of(restored.resolve(TorchaoBackend.RUNNABLE), "mixed.pt")))
        .isLessThan(1e-3);
  }

  @Test
  void takes_any_number_of_rows() {
    Path source = source("resnet_traced.pt");
    Path exact = quantized(source, "int8", "dequantize", "exact");
    Path packed = quantized(source, "int8", "int8pack", "packed");

    for (int rows : new int[] {1, 2, 3, 17, 200}) {
      assertThat(
              Outputs.difference(
                  Outputs.of(packed, "resnet", rows), Outputs.of(exact, "resnet", rows)))
          .as("%d rows", rows)
          .isLessThan(2e-2);
    }
  }

  @ParameterizedTest
  @CsvSource({"int8,dequantize,1e-5", "fp8_e4m3fn,dequantize,1e-5", "int8,int8pack,1e-2"})
  void multiplies_large_weights_block_by_block(String dtype, String kernel, double tolerance)
      throws IOException {
    int outputs = 300;
    int inputs = 8192;
    var random = new Random(3);
    float[] weight = new float[outputs * inputs];
    for (int i = 0; i < weight.length; i++) {
      weight[i] = (float) random.nextGaussian();
    }
    float[] input = new float[2 * inputs];
    for (int i = 0; i < input.length; i++) {
      input[i] = (float) random.nextGaussian();
    }
    Path source = Archives.linear(folder, weight, outputs, inputs);
    Path artifact = quantized(source, dtype, kernel, "large");

    float[] actual = Outputs.of(artifact, Tensor.ofFloats(input, 2, inputs));

    float[] restored = new float[weight.length];
    try (TorchModel model = TestModels.open(artifact.resolveSibling(TorchaoBackend.CHECKPOINT))) {
      ByteBuffer.wrap(TestModels.bytes(TestModels.tensor(model, "fc.weight")))
          .order(ByteOrder.LITTLE_ENDIAN)
          .asFloatBuffer()
          .get(restored);
    }
    float[] expected = new float[2 * outputs];
    for (int i = 0; i < expected.length; i++) {
      double sum = 0;
      for (int k = 0; k < inputs; k++) {
        sum += (double) input[i / outputs * inputs + k] * restored[i % outputs * inputs + k];
      }
      expected[i] = (float) sum;
    }
    assertThat(Outputs.difference(actual, expected)).isLessThan(tolerance);
  }

  private static Path source(String model) {
    return model.startsWith("resnet") || model.startsWith("transformer")
        ? TestModels.digits(model)
        : TestModels.model(model);
  }

  private Path quantized(Path source, String dtype, String kernel, String name) {
    Path results = folder.resolve(name);
    Quantization.of(source)
        .all(Dtype.of(dtype))
        .option("kernel", kernel)
        .option("runtime_modules", true)
        .into(results);
    return results.resolve(TorchaoBackend.RUNNABLE);
  }
}
