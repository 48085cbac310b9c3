package dev.kvant.backend.torchao;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.ElementType;
import dev.kvant.backend.torchao.TorchaoOptions.Kernel;
import dev.kvant.torch.script.ScriptCode;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EightBitClassTest {

  private static final String RECORD = "code/__torch__/m.py";

  /** A class with a weight and a bias, whose method has those lines. */
  private static String module(String... lines) {
    return """
    class M(Module):
      __parameters__ = ["weight", "bias", ]
      __buffers__ = []
      weight : Tensor
      bias : Tensor
      def forward(self: __torch__.m.M,
        input: Tensor) -> Tensor:
        %s
    """
        .formatted(String.join("\n    ", lines));
  }

  private static String changed(String text) {
    return changed(text, false, List.of(ElementType.FLOAT32), Kernel.DEQUANTIZE, true);
  }

  private static String changed(
      String text,
      boolean someNative,
      List<ElementType> originals,
      Kernel kernel,
      boolean allPackable) {
    ScriptCode code = ScriptCode.parse(Map.of(RECORD, text));
    new EightBitClass(
            code.type("__torch__.m.M").orElseThrow(),
            someNative,
            originals,
            kernel,
            allPackable,
            null)
        .change(code);
    return code.changedTexts().getOrDefault(RECORD, "");
  }

  @Test
  void a_product_scales_its_output_and_converts_large_weights_in_blocks() {
    assertThat(
            changed(
                module(
                    "weight = self.weight",
                    "bias = self.bias",
                    "return torch.linear(input, weight, bias)")))
        .isEqualTo(
            """
            class M(Module):
              __parameters__ = ["weight", "bias", ]
              __buffers__ = ["weight_scale", ]
              weight : Tensor
              bias : Tensor
              weight_scale : Tensor
              def forward(self: __torch__.m.M,
                input: Tensor) -> Tensor:
                bias = self.bias
                return (self).quantized_linear(input, bias)
              def dequantized_weight(self: __torch__.m.M) -> Tensor:
                scale = self.weight_scale
                output = torch.mul_(torch.to(self.weight, 6, False, True), scale)
                return output
              def quantized_linear(self: __torch__.m.M, input: Tensor, bias: Optional[Tensor]=None) -> Tensor:
                scale = self.weight_scale
                weight = self.weight
                dtype = ops.prim.dtype(input)
                if torch.eq(dtype, 5):
                  output = torch.linear(input, torch.to(torch.mul_(torch.to(self.weight, 6, False, True), scale), 5), bias)
                else:
                  columns = torch.size(weight, 1)
                  block = ops.prim.max(torch.floordiv(524288, columns), 16)
                  if torch.le(torch.size(weight, 0), torch.mul(block, 2)):
                    product = torch.linear(input, torch.to(weight, dtype))
                  else:
                    buffer = torch.empty([block, columns], dtype=dtype, layout=None, device=ops.prim.device(weight))
                    products = annotate(List[Tensor], [])
                    for part in torch.split(weight, block):
                      rows = torch.slice(buffer, 0, 0, torch.size(part, 0))
                      _0 = torch.copy_(rows, part)
                      _1 = torch.append(products, torch.linear(input, rows))
                    product = torch.cat(products, -1)
                  scales = torch.flatten(scale)
                  if torch.__is__(bias, None):
                    scaled = torch.mul(product, scales)
                  else:
                    scaled = torch.addcmul(unchecked_cast(Tensor, bias), product, scales)
                  output = torch.to(scaled, dtype)
                return output
            """);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "torch.linear(input, self.weight)",
        "torch.linear(input, self.weight, None)",
        "__torch__.torch.nn.functional.linear(input, self.weight, self.bias, )"
      })
  void products_are_told_by_the_function(String product) {
    assertThat(changed(module("return " + product)))
        .contains("return (self).quantized_linear(input");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "torch.linear(self.weight, input)",
        "torch.linear(input, self.weight, bias=self.bias)",
        "torch.conv2d(input, self.weight, self.bias)",
        "torch.matmul(input, torch.t(self.weight))",
        "torch.embedding(self.weight, input, torch.size(input, 0))",
        "__torch__.torch.nn.functional.embedding(input, self.weight, 0, 1., 2., False, False, )"
      })
  void all_else_gets_the_restored_weight(String expression) {
    assertThat(changed(module("return " + expression)))
        .contains("return " + expression.replace("self.weight", "(self).dequantized_weight()"))
        .doesNotContain("quantized_linear")
        .doesNotContain("quantized_embedding");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "torch.embedding(self.weight, input)",
        "torch.embedding(self.weight, input, 0, False, False)",
        "__torch__.torch.nn.functional.embedding(input, self.weight, 0, None, 2., False, False, )"
      })
  void rows_are_looked_up_before_they_are_scaled(String lookUp) {
    assertThat(changed(module("return " + lookUp)))
        .contains("    return (self).quantized_embedding(input")
        .contains(
            "output = torch.mul(torch.to(torch.embedding(self.weight, input), 6),"
                + " torch.embedding(scale, input))");
  }

  @Test
  void a_weight_that_is_changed_before_it_is_used_is_restored_first() {
    assertThat(
            changed(
                module(
                    "weight = self.weight",
                    "_0 = torch.embedding_renorm_(weight, input, 1., 2.)",
                    "return torch.embedding(weight, input)")))
        .contains(
            """
                weight = (self).dequantized_weight()
                _0 = torch.embedding_renorm_(weight, input, 1., 2.)
                return torch.embedding(weight, input)
            """);
  }

  @Test
  void native_instances_are_told_by_their_lack_of_scales() {
    assertThat(
            changed(
                module("return torch.linear(input, self.weight, self.bias)"),
                true,
                List.of(ElementType.FLOAT32),
                Kernel.DEQUANTIZE,
                true))
        .contains("  weight_scale : Optional[Tensor]\n")
        .contains(
            """
                weight_scale = self.weight_scale
                if torch.__is__(weight_scale, None):
                  output = self.weight
                else:
                  scale = unchecked_cast(Tensor, weight_scale)
                  output = torch.mul_(torch.to(self.weight, 6, False, True), scale)
                return output
            """)
        .contains("      output = torch.linear(input, self.weight, bias)\n");
  }

  @Test
  void weights_are_restored_in_the_type_that_they_had() {
    String text = module("return torch.relu(self.weight)");

    assertThat(changed(text, false, List.of(ElementType.BFLOAT16), Kernel.DEQUANTIZE, true))
        .contains("output = torch.to(torch.mul_(torch.to(self.weight, 6, False, True), scale), 15)")
        .doesNotContain("weight_type");
    assertThat(
            changed(
                text,
                false,
                List.of(ElementType.FLOAT16, ElementType.FLOAT32),
                Kernel.DEQUANTIZE,
                true))
        .contains("  weight_type : int\n")
        .contains(
            "output = torch.to(torch.mul_(torch.to(self.weight, 6, False, True), scale),"
                + " self.weight_type)");
  }

  @Test
  void int8pack_multiplies_bfloat16_rows_and_scales_in_float32() {
    String text = module("return torch.linear(input, self.weight, self.bias)");
    List<ElementType> originals = List.of(ElementType.FLOAT32);

    assertThat(changed(text, false, originals, Kernel.INT8PACK, true))
        .contains("packed = torch._weight_int8pack_mm(inputs, weight, ones)")
        .doesNotContain("torch.split")
        .doesNotContain("torch.remainder");
    assertThat(changed(text, false, originals, Kernel.INT8PACK, false))
        .contains("if torch.eq(torch.remainder(torch.size(weight, 1), 16), 0):")
        .contains("torch._weight_int8pack_mm")
        .contains("torch.split");
  }

  @Test
  void names_that_the_class_has_are_avoided() {
    assertThat(
            changed(
                module("return self.weight")
                    .replace("  bias : Tensor\n", "  bias : Tensor\n  weight_scale : Tensor\n")))
        .contains("__buffers__ = [\"weight_scale_2\", ]")
        .contains("scale = self.weight_scale_2");
  }
}
