package dev.kvant.torch.script;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ScriptChangeTest {

  private static final String LINEAR_RECORD = "code/__torch__/torch/nn/modules/linear.py";

  @Test
  void attributes_buffers_and_methods_are_added_where_torch_expects_them() {
    ScriptCode code = Texts.linear(Texts.LINEAR);
    ScriptType linear = Texts.linearOf(code);

    linear.addBuffer("weight_scale", "Optional[Tensor]");
    linear.addAttribute("weight_type", "int");
    linear.addMethod("scaled", "x: Tensor", "Tensor", "y = torch.neg(x)\nreturn y");

    assertThat(code.changedTexts())
        .containsOnlyKeys(LINEAR_RECORD)
        .containsEntry(
            LINEAR_RECORD,
            """
            class Linear(Module):
              __parameters__ = ["weight", "bias", ]
              __buffers__ = ["weight_scale", ]
              weight : Tensor
              bias : Tensor
              training : bool
              _is_full_backward_hook : NoneType
              weight_scale : Optional[Tensor]
              weight_type : int
              out_features : Final[int] = 32
              in_features : Final[int] = 16
              def forward(self: __torch__.torch.nn.modules.linear.Linear,
                input: Tensor) -> Tensor:
                weight = self.weight
                bias = self.bias
                return torch.linear(input, weight, bias)
              def scaled(self: __torch__.torch.nn.modules.linear.Linear, x: Tensor) -> Tensor:
                y = torch.neg(x)
                return y
            """);
  }

  @Test
  void buffers_that_are_there_are_kept() {
    ScriptCode code =
        Texts.linear(Texts.LINEAR.replace("__buffers__ = []", "__buffers__ = [\"mean\", ]"));

    Texts.linearOf(code).addBuffer("scale", "Tensor");

    assertThat(code.changedTexts().get(LINEAR_RECORD))
        .contains("  __buffers__ = [\"mean\", \"scale\", ]\n");
  }

  @Test
  void a_class_of_an_old_archive_gets_a_list_of_buffers() {
    ScriptCode code = Texts.linear(Texts.OLD_LINEAR);

    Texts.linearOf(code).addBuffer("scale", "Tensor");

    assertThat(code.changedTexts().get(LINEAR_RECORD))
        .contains(
            """
              __parameters__ = ["weight", "bias", ]
              __buffers__ = ["scale", ]
              weight : Tensor
            """);
  }

  @Test
  void a_name_that_is_taken_is_avoided() {
    ScriptType linear = Texts.linearOf(Texts.linear(Texts.LINEAR));
    linear.addBuffer("scale", "Tensor");

    assertThat(linear.unusedName("out_features")).isEqualTo("out_features_2");
    assertThat(linear.unusedName("forward")).isEqualTo("forward_2");
    assertThat(linear.unusedName("scale")).isEqualTo("scale_2");
    assertThat(linear.unusedName("free")).isEqualTo("free");
    assertThatThrownBy(() -> linear.addAttribute("weight", "int"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("has 'weight' already");
  }

  @Test
  void lines_are_put_before_the_first_of_a_method_in_their_order() {
    ScriptCode code = Texts.linear(Texts.LINEAR);
    ScriptType linear = Texts.linearOf(code);

    linear.insertFirst("forward", "input0 = torch.neg(input)");
    linear.insertFirst("forward", "input1 = torch.neg(input0)");

    assertThat(code.changedTexts().get(LINEAR_RECORD))
        .contains(
            """
                input: Tensor) -> Tensor:
                input0 = torch.neg(input)
                input1 = torch.neg(input0)
                weight = self.weight
            """);
  }

  @Test
  void a_line_is_put_before_one_that_a_redirected_call_loses() {
    ScriptCode code = Texts.linear(Texts.LINEAR);
    ScriptType linear = Texts.linearOf(code);

    AttributeRead read = code.reads(linear, "weight").get(0);
    read.calls().get(0).redirect("(self).product", Set.of(0, 2));
    read.replaceByCallOf("restored");
    linear.insertFirst("forward", "input0 = torch.neg(input)");

    assertThat(code.changedTexts().get(LINEAR_RECORD))
        .contains(
            """
                input: Tensor) -> Tensor:
                input0 = torch.neg(input)
                bias = self.bias
            """);
  }

  @Test
  void a_line_for_a_method_that_is_not_there_is_refused() {
    assertThatThrownBy(
            () -> Texts.linearOf(Texts.linear(Texts.LINEAR)).insertFirst("forward1", "pass"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no method 'forward1', but [forward]");
  }

  @Test
  void what_a_method_returns_goes_through_a_function() {
    ScriptCode code = Texts.linear(Texts.LINEAR);
    ScriptType linear = Texts.linearOf(code);

    linear.wrapResults("forward", "torch.contiguous");

    assertThat(linear.resultType("forward")).isEqualTo("Tensor");
    assertThat(linear.resultType("forward1")).isEmpty();
    assertThat(code.changedTexts().get(LINEAR_RECORD))
        .contains("    return torch.contiguous(torch.linear(input, weight, bias))\n");
    assertThat(code.calls(Set.of("torch.linear"))).isTrue();
    assertThat(code.calls(Set.of("torch.view"))).isFalse();
  }

  @Test
  void calls_are_told_with_the_variables_that_they_are_given() {
    ScriptType linear = Texts.linearOf(Texts.linear(Texts.OLD_LINEAR));

    assertThat(linear.calls("forward"))
        .containsExactly(new ScriptCall("_0", List.of("input", "", "")));
    assertThat(linear.calls("forward1")).isEmpty();
  }

  @Test
  void a_method_that_is_called_is_told_by_the_name_of_its_module() {
    ScriptCode code =
        Texts.linear(
            Texts.LINEAR.replace(
                "torch.linear(input, weight, bias)", "(self)._product(input, weight, 1)"));

    assertThat(Texts.linearOf(code).calls("forward"))
        .containsExactly(new ScriptCall("self._product", List.of("input", "weight", "")));
  }

  @Test
  void a_redirected_call_loses_the_argument_and_the_line_that_read_it() {
    ScriptCode code = Texts.linear(Texts.LINEAR);
    AttributeRead read = code.reads(Texts.linearOf(code), "weight").get(0);

    read.calls().get(0).redirect("(self).product", Set.of(0, 2));
    read.replaceByCallOf("restored");

    assertThat(code.changedTexts().get(LINEAR_RECORD))
        .endsWith(
            """
              def forward(self: __torch__.torch.nn.modules.linear.Linear,
                input: Tensor) -> Tensor:
                bias = self.bias
                return (self).product(input, bias)
            """);
  }

  @Test
  void a_redirected_call_with_the_read_in_place_loses_both_together() {
    ScriptCode code = Texts.linear(Texts.OLD_LINEAR);
    AttributeRead read = code.reads(Texts.linearOf(code), "weight").get(0);

    read.calls().get(0).redirect("(self).product", Set.of(0, 2));
    read.replaceByCallOf("restored");

    assertThat(code.changedTexts().get(LINEAR_RECORD))
        .contains("    return (self).product(input, self.bias, )\n");
  }

  @Test
  void other_uses_of_a_value_keep_its_line() {
    ScriptCode code = Texts.linearAnd("networks", Texts.READER);

    for (AttributeRead read : code.reads(Texts.linearOf(code), "weight")) {
      for (CallArgument call : read.calls()) {
        if (call.function().equals("torch.linear")) {
          call.redirect("(" + read.module() + ").product", Set.of(0, 2));
        }
      }
      read.replaceByCallOf("restored");
    }

    assertThat(code.changedTexts().get("code/__torch__/networks.py"))
        .endsWith(
            """
              def forward(me: __torch__.networks.Reader,
                x: Tensor) -> Tensor:
                proj = me.proj
                weight = (proj).restored()
                proj0 = me.proj
                bias = proj0.bias
                y = (proj).product(x, bias)
                if torch.gt(torch.size(weight, 0), 3):
                  y0 = torch.relu(y)
                else:
                  y0 = y
                z = torch.matmul(y0, torch.t((getattr(me, "0")).restored()))
                return (proj).forward(torch.add(z, me.proj.bias), )
            """);
  }

  @Test
  void a_read_in_an_argument_of_a_redirected_call_is_changed_too() {
    ScriptCode code =
        Texts.linear(
            Texts.OLD_LINEAR.replace(
                "_0(input, self.weight, self.bias, )",
                "_0(_0(input, self.weight, None), self.weight, torch.sum(self.weight))"));

    for (AttributeRead read : code.reads(Texts.linearOf(code), "weight")) {
      read.calls().stream()
          .filter(call -> call.function().endsWith("functional.linear"))
          .forEach(call -> call.redirect("(self).product", Set.of(0, 2)));
      read.replaceByCallOf("restored");
    }

    assertThat(code.changedTexts().get(LINEAR_RECORD))
        .contains(
            "return (self).product((self).product(input, None), torch.sum((self).restored()))");
  }
}
