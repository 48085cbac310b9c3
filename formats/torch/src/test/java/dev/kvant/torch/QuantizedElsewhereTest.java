package dev.kvant.torch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.ElementType;
import dev.kvant.spi.ByteSource;
import dev.kvant.torch.tensor.DenseTensor;
import dev.kvant.torch.tensor.StoredTensor;
import dev.kvant.torch.tensor.TensorStorage;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantizedElsewhereTest {

  /** Bytes that are never read. */
  private static final ByteSource ZEROS =
      new ByteSource() {
        @Override
        public long size() {
          return 1 << 20;
        }

        @Override
        public void read(long position, ByteBuffer target) {
          target.position(target.limit());
        }
      };

  /** Tensors from names with dtypes such as {@code fc.weight int8}. */
  private static Map<String, StoredTensor> tensors(String list) {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    for (String entry : list.split(", ", -1)) {
      String[] nameAndType = entry.strip().split(" ", 2);
      ElementType type =
          ElementType.standard().stream()
              .filter(each -> each.label().equals(nameAndType[1]))
              .findFirst()
              .orElseThrow();
      tensors.put(
          nameAndType[0],
          DenseTensor.contiguous(
              nameAndType[0], type, List.of(8L, 8L), new TensorStorage(nameAndType[0], ZEROS)));
    }
    return tensors;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          packed.pt           | torch.ao.quantization: 'first.0._packed_params' holds packed weights
          packed_in_part.pt   | torch.ao.quantization: 'second._packed_params' holds packed weights
          fake_quantized.pt   | torch.ao.quantization: 'first.weight_fake_quant.fake_quant_enabled' is among its entries
          torch_ao.pth        | torch.ao.quantization: 'first._packed_params._packed_params' is among its entries
          modelopt.pth        | ModelOpt: 'first.input_quantizer._amax' is among its entries
          torchao_in_part.pth | torchao: 'second.weight' is of its class Int8Tensor
          torchao_int4.pth    | torchao: 'first.weight' is of its class IntxUnpackedToInt8Tensor
          """)
  void a_model_that_its_own_tool_saved_is_told(String file, String tool) {
    try (TorchModel model = TestModels.open("kinds/" + file)) {
      assertThat(model.quantizedBy()).contains(tool);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          a.b.q_proj.weight_quantizer._amax float32      | ModelOpt: 'a.b.q_proj.weight_quantizer._amax'
          attn.q_bmm_quantizer._amax float32             | ModelOpt: 'attn.q_bmm_quantizer._amax'
          fc.weight uint8, fc.weight.absmax float32, fc.weight.quant_map float32 | bitsandbytes: 'fc.weight.absmax'
          fc.weight uint8, fc.weight.quant_state.bitsandbytes__nf4 uint8         | bitsandbytes: 'fc.weight.quant_state
          fc.weight int8, fc.SCB float32                 | bitsandbytes: 'fc.weight' holds int8 codes
          fc.qweight int32, fc.qzeros int32, fc.scales float16 | GPTQ or AWQ: 'fc.qweight'
          fc.weight_packed int32, fc.weight_scale float32 | compressed-tensors: 'fc.weight_packed'
          fc.weight float8_e4m3fn, fc.weight_scale float32 | compressed-tensors: 'fc.weight' holds float8_e4m3fn codes
          fc.weight float8_e4m3fn, fc.weight_scale_inv float32 | a float8 recipe: 'fc.weight' holds float8_e4m3fn codes
          fc.weight int8, fc.weight_scales float16       | EETQ: 'fc.weight' holds int8 codes
          fc.W_q uint8, fc.scale float16                 | HQQ: 'fc.W_q'
          fc.codes int16, fc.codebooks float16           | AQLM: 'fc.codebooks'
          mlp.up_proj_blocks uint8, mlp.up_proj_scales uint8 | MXFP4: 'mlp.up_proj_blocks' holds uint8 codes
          weight int8, weight_scale float32              | compressed-tensors: 'weight' holds int8 codes
          """)
  void names_that_a_tool_puts_beside_those_of_modules_tell_it(String entries, String tool) {
    assertThat(QuantizedElsewhere.by(tensors(entries), List.of(), ModelConfig.NONE).orElse(""))
        .startsWith(tool);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "fc.weight float32, fc.weight_scale float32",
        "fc.weight float16, fc.scales float16",
        "ids int64, ids_scale float32",
        "pos_weight int8, weight_scale float32",
        "fc.weight_packed int32",
        "res_blocks float32, res_scales float32",
        "fc.weight int8",
      })
  void tensors_of_trained_models_are_none_of_a_tool(String entries) {
    assertThat(QuantizedElsewhere.by(tensors(entries), List.of(), ModelConfig.NONE)).isEmpty();
  }

  @Test
  void a_config_counts_where_there_are_codes() {
    var config = new ModelConfig(Optional.of("llama"), Optional.of("spqr"));

    assertThat(QuantizedElsewhere.by(tensors("fc.dense uint8"), List.of(), config))
        .contains("spqr, as config.json says");
    assertThat(QuantizedElsewhere.by(tensors("fc.weight float32"), List.of(), config)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"mixed.pt", "mixed.pth", "tied.safetensors", "strange.pth"})
  void a_model_as_it_was_trained_is_none_of_a_tool(String file) {
    try (TorchModel model = TestModels.open(file)) {
      assertThat(model.quantizedBy()).isEmpty();
    }
  }
}
