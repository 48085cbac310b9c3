package dev.kvant.kit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.Granularity;
import dev.kvant.api.KvantException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizationException;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.SavedModel;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.RunContext;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("A run for weights alone")
@DisplayNameGeneration(ReplaceUnderscores.class)
class WeightOnlyRunTest {

  private static final Dtype PAIRS = Dtype.of("pairs");
  private static final float[] WEIGHT = {1, 2, 3, 4};
  private static final float[] BIAS = {0.5f, -0.5f};

  /** Two values in one byte that holds the first of them. */
  private static final class FirstOfTwo implements BlockCodec {

    @Override
    public ElementType blocks() {
      return new ElementType("first_of_two", 2, 1, false);
    }

    @Override
    public void encode(float[] values, ByteBuffer blocks) {
      for (int i = 0; i < values.length; i += 2) {
        if (values[i] > Byte.MAX_VALUE) {
          throw new ArithmeticException(values[i] + " exceeds 127");
        }
        blocks.put((byte) values[i]);
      }
    }

    @Override
    public void decode(ByteBuffer blocks, float[] values) {
      for (int i = 0; i < values.length; i++) {
        values[i] = blocks.get(i / 2);
      }
    }
  }

  @TempDir private Path folder;

  private static Map<String, ModelTensor> tensors(ElementType type, float... weight) {
    Map<String, ModelTensor> tensors = new LinkedHashMap<>();
    tensors.put("fc.weight", InMemory.tensor("w", type, List.of(weight.length / 2L, 2L), weight));
    tensors.put("fc.bias", InMemory.tensor("b", ElementType.FLOAT32, List.of(2L), BIAS));
    return tensors;
  }

  private static WeightOnlyRun run(Map<String, ModelTensor> tensors, String module, int threads) {
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder()
            .backend("pairs")
            .mode(QuantizationMode.WEIGHT_ONLY_PTQ)
            .build();
    BackendDescriptor descriptor =
        BackendDescriptor.builder("pairs")
            .mode(
                QuantizationMode.WEIGHT_ONLY_PTQ,
                ModeDescriptor.builder().weights(List.of(PAIRS)).build())
            .build();
    var weights =
        new OperandDecision(PAIRS, PAIRS, null, List.of(), null, Map.of(), OperandSettings.DEFAULT);
    var plan =
        new QuantizationPlan(
            "pairs",
            QuantizationMode.WEIGHT_ONLY_PTQ,
            List.of(new ModuleDecision(module, "", true, weights, OperandDecision.untouched())),
            List.of());
    return WeightOnlyRun.ofBlocks(
        InMemory.model(tensors),
        plan,
        RunContext.builder(config, descriptor).parallelism(threads).build(),
        "pairs.safetensors",
        "Pairs.",
        new FirstOfTwo());
  }

  private byte[] saved(Map<String, ModelTensor> tensors, int threads) throws IOException {
    Path target = folder.resolve("with " + threads);
    run(tensors, "fc", threads).save(target);
    return Files.readAllBytes(target.resolve("pairs.safetensors"));
  }

  @Test
  void writes_weights_as_blocks_and_other_tensors_as_they_are() throws IOException {
    ByteBuffer file =
        ByteBuffer.wrap(saved(tensors(ElementType.FLOAT32, WEIGHT), 1))
            .order(ByteOrder.LITTLE_ENDIAN);

    byte[] header = new byte[(int) file.getLong()];
    file.get(header);
    assertThat(new String(header, UTF_8).strip())
        .isEqualTo(
            "{\"fc.weight\":{\"dtype\":\"U8\",\"shape\":[2, 1],\"data_offsets\":[0,2]},"
                + "\"fc.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[2,10]}}");
    assertThat(header.length % 8).isZero();
    assertThat(new byte[] {file.get(), file.get()}).containsExactly(1, 3);
    assertThat(new float[] {file.getFloat(), file.getFloat()}).containsExactly(BIAS);
  }

  @Test
  void reads_weights_of_each_floating_point_type() throws IOException {
    byte[] expected = saved(tensors(ElementType.FLOAT32, WEIGHT), 1);

    assertThat(saved(tensors(ElementType.FLOAT16, WEIGHT), 2)).isEqualTo(expected);
    assertThat(saved(tensors(ElementType.BFLOAT16, WEIGHT), 3)).isEqualTo(expected);
  }

  @Test
  void writes_the_same_bytes_with_any_number_of_threads() throws IOException {
    float[] weight = new float[1 << 20];
    for (int i = 0; i < weight.length; i++) {
      weight[i] = i % 127;
    }

    assertThat(saved(tensors(ElementType.FLOAT32, weight), 3))
        .isEqualTo(saved(tensors(ElementType.FLOAT32, weight), 1));
  }

  @Test
  void reports_the_error_and_the_bytes_that_were_saved() {
    SavedModel saved = run(tensors(ElementType.FLOAT32, WEIGHT), "fc", 1).save(folder);

    ModuleReport report = saved.report().modules().get(0);
    // 1, 2, 3, 4 become 1, 1, 3, 3.
    assertThat(report.weights().granularity()).isEqualTo(Granularity.group(2));
    assertThat(report.weights().sqnrDecibels()).isEqualTo(10 * Math.log10(30.0 / 2));
    assertThat(report.bytesBefore() - report.bytesAfter()).isEqualTo(16 - 2);
  }

  @Test
  void names_an_element_that_is_not_finite() {
    var run = run(tensors(ElementType.FLOAT16, 1, 2, 3, Float.NaN), "fc", 1);

    assertThatThrownBy(() -> run.save(folder))
        .isInstanceOf(QuantizationException.class)
        .hasMessageStartingWith("'fc.weight' cannot be quantized: element [1, 1] is NaN");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void says_what_blocks_cannot_hold() {
    var run = run(tensors(ElementType.FLOAT32, 1, 2, 300, 4), "fc", 1);

    assertThatThrownBy(() -> run.save(folder))
        .isInstanceOf(QuantizationException.class)
        .hasMessage("'fc.weight' cannot be quantized: 300.0 exceeds 127");
  }

  @Test
  void refuses_rows_that_do_not_fall_into_blocks() {
    Map<String, ModelTensor> tensors =
        Map.of("fc.weight", InMemory.tensor("w", ElementType.FLOAT32, List.of(1L, 3L), 1, 2, 3));

    assertThatThrownBy(() -> run(tensors, "fc", 1).save(folder))
        .isInstanceOf(QuantizationException.class)
        .hasMessageContaining("its rows do not fall into blocks of 2 values");
  }

  @Test
  void refuses_a_plan_for_another_model() {
    assertThatThrownBy(() -> run(tensors(ElementType.FLOAT32, WEIGHT), "other", 1))
        .isInstanceOf(QuantizationException.class)
        .hasMessage(
            "the plan quantizes module 'other', which model.test has not; prepare the model again");
  }

  @Test
  void refuses_tensors_that_its_file_cannot_hold_all_at_once() {
    Map<String, ModelTensor> tensors = tensors(ElementType.FLOAT32, WEIGHT);
    for (String name : List.of("a", "b")) {
      tensors.put(
          name,
          ContiguousTensor.of(
              name, ElementType.INT4, List.of(2L), ByteBuffer.wrap(new byte[] {1})));
    }

    assertThatThrownBy(() -> run(tensors, "fc", 1))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageEndingWith("'a' (int4), 'b' (int4)");
  }

  @Test
  void names_the_folder_of_a_file_that_cannot_be_written() {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "only Linux has /dev/full");
    byte[] content = new byte[1 << 20];
    Arrays.fill(content, (byte) 1);

    assertThatThrownBy(
            () -> {
              try (var out = new ArtifactStream(full)) {
                out.write(content, 0, content.length);
              }
            })
        .isInstanceOf(KvantException.class)
        .hasMessageStartingWith("/dev cannot be written to: ");
  }
}
