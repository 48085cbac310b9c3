package dev.kvant.torch.script;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ScriptCodeTest {

  @Test
  void a_class_has_its_qualified_name_attributes_and_methods() {
    ScriptType linear = Texts.linearOf(Texts.linear(Texts.LINEAR));

    assertThat(linear.name()).isEqualTo("__torch__.torch.nn.modules.linear.Linear");
    assertThat(linear.attributes())
        .containsExactly(
            Map.entry("weight", "Tensor"),
            Map.entry("bias", "Tensor"),
            Map.entry("training", "bool"),
            Map.entry("_is_full_backward_hook", "NoneType"));
    assertThat(linear.methods()).containsExactly("forward");
  }

  @Test
  void a_method_has_its_parameters_with_types_and_whether_they_may_be_left_out() {
    ScriptType type =
        ScriptCode.parse(
                Map.of(
                    "code/__torch__.py",
                    """
                    class Encoder(Module):
                      def forward(self: __torch__.Encoder,
                        input_ids: Tensor,
                        shapes: Dict[str, List[int]],
                        mask: Optional[Tensor]=None,
                        scale: float=1.) -> Tensor:
                        return input_ids
                    """))
            .type("__torch__.Encoder")
            .orElseThrow();

    assertThat(type.parameters("forward").orElseThrow())
        .containsExactly(
            new ScriptParameter("input_ids", "Tensor", false),
            new ScriptParameter("shapes", "Dict[str, List[int]]", false),
            new ScriptParameter("mask", "Optional[Tensor]", true),
            new ScriptParameter("scale", "float", true));
    assertThat(type.parameters("backward")).isEmpty();
  }

  @Test
  void attributes_whose_names_are_no_identifiers_are_found() {
    ScriptCode code = Texts.linearAnd("networks", Texts.READER);

    assertThat(code.type("__torch__.networks.Reader").orElseThrow().attributes())
        .containsEntry("0", Texts.LINEAR_TYPE);
  }

  @Test
  void a_class_of_a_mangled_module_is_found_by_its_mangled_name() {
    ScriptCode code =
        ScriptCode.parse(
            Map.of("code/__torch__/a/___torch_mangle_7.py", "class B(Module):\n  x : int\n"));

    assertThat(code.type("__torch__.a.___torch_mangle_7.B")).isPresent();
    assertThat(code.types()).hasSize(1);
  }

  @Test
  void a_read_by_way_of_a_variable_tells_the_call_that_gets_the_value() {
    ScriptCode code = Texts.linear(Texts.LINEAR);

    List<AttributeRead> reads = code.reads(Texts.linearOf(code), "weight");

    assertThat(reads).hasSize(1);
    AttributeRead read = reads.get(0);
    assertThat(read.reader()).isEqualTo(Texts.LINEAR_TYPE + ".forward");
    assertThat(read.module()).isEqualTo("self");
    CallArgument call = read.calls().get(0);
    assertThat(call.function()).isEqualTo("torch.linear");
    assertThat(call.index()).isEqualTo(1);
    assertThat(call.arguments()).containsExactly("input", "weight", "bias");
  }

  @Test
  void a_read_where_it_is_used_tells_the_function_behind_the_variable_that_is_called() {
    ScriptCode code = Texts.linear(Texts.OLD_LINEAR);

    CallArgument call = code.reads(Texts.linearOf(code), "weight").get(0).calls().get(0);

    assertThat(call.function()).isEqualTo("__torch__.torch.nn.functional.linear");
    assertThat(call.arguments()).containsExactly("input", "self.weight", "self.bias");
  }

  @Test
  void reads_by_other_modules_are_found_through_variables_chains_and_getattr() {
    ScriptCode code = Texts.linearAnd("networks", Texts.READER);

    assertThat(code.reads(Texts.linearOf(code), "weight"))
        .extracting(AttributeRead::reader, AttributeRead::module)
        .containsExactlyInAnyOrder(
            tuple(Texts.LINEAR_TYPE + ".forward", "self"),
            tuple("__torch__.networks.Reader.forward", "proj"),
            tuple("__torch__.networks.Reader.forward", "getattr(me, \"0\")"));
    assertThat(code.reads(Texts.linearOf(code), "bias"))
        .extracting(AttributeRead::module)
        .containsExactlyInAnyOrder("self", "proj0", "me.proj");
    assertThat(code.untraced("weight")).isEmpty();
  }

  @Test
  void writers_of_an_attribute_are_told() {
    ScriptCode code =
        Texts.linear(
            Texts.LINEAR.replace(
                "    bias = self.bias\n", "    self.weight = input\n    bias = self.bias\n"));

    assertThat(code.writers(Texts.linearOf(code), "weight"))
        .containsExactly(Texts.LINEAR_TYPE + ".forward");
    assertThat(code.writers(Texts.linearOf(code), "bias")).isEmpty();
  }

  @Test
  void a_read_whose_module_cannot_be_followed_is_told() {
    ScriptCode code =
        Texts.linearAnd(
            "networks",
            """
            def pick(x: Tensor) -> Tensor:
              chosen = choose(x)
              return chosen.weight
            """);

    assertThat(code.untraced("weight")).containsExactly("__torch__.networks.pick");
    assertThat(code.untraced("bias")).isEmpty();
  }

  @Test
  void a_variable_that_is_assigned_twice_cannot_be_followed() {
    ScriptCode code =
        Texts.linearAnd(
            "networks",
            Texts.READER.replace(
                "    proj0 = me.proj\n", "    proj = me.proj\n    proj0 = proj\n"));

    assertThat(code.untraced("weight")).containsExactly("__torch__.networks.Reader.forward");
  }

  @Test
  void a_record_that_is_not_as_torch_writes_it_may_read_anything() {
    ScriptCode code = Texts.linearAnd("networks", "def f(x: Tensor) -> Tensor:\n  return x ? 1\n");

    assertThat(code.untraced("weight"))
        .containsExactly("code/__torch__/networks.py, line 2: '?' is not understood");
  }

  @Test
  void strings_numbers_and_continued_lines_do_not_confuse() {
    ScriptCode code =
        Texts.linear(
            Texts.LINEAR.replace(
                "    weight = self.weight\n",
                """
                    _0 = "it\\'s \\"self.weight = [(\\" # no comment"
                    _1 = torch.mul(torch.slice([1, -2, 3.5e-05, -inf], 0,
                      -1), CONSTANTS.c0)
                    q, k, = torch.chunk(input, 2, -1)
                    weight = self.weight
                """));

    assertThat(code.untraced("weight")).isEmpty();
    assertThat(code.reads(Texts.linearOf(code), "weight")).hasSize(1);
    assertThat(code.writers(Texts.linearOf(code), "weight")).isEmpty();
  }

  @Test
  void control_flow_is_looked_into() {
    ScriptCode code =
        Texts.linear(
            """
            class Linear(Module):
              __parameters__ = ["weight", ]
              __buffers__ = []
              weight : Tensor
              def forward(self: __torch__.torch.nn.modules.linear.Linear,
                n: int,
                hx: Optional[Dict[str, Tensor]]=None) -> Tensor:
                total : Tensor = torch.zeros([2])
                for i in range(torch.len(self.weight)):
                  total0 = torch.add(total, self.weight)
                while torch.gt(n, torch.size(self.weight, 0)):
                  with self.weight as w:
                    pass
                if torch.__isnot__(self.weight, None):
                  _1 = True
                else:
                  _1, _2 = False, self.weight
                return (total)[self.weight]
            """);

    assertThat(code.untraced("weight")).isEmpty();
    assertThat(code.reads(Texts.linearOf(code), "weight")).hasSize(7);
  }

  @Test
  void what_runs_in_a_fork_is_looked_into() {
    ScriptCode code =
        Texts.linearAnd(
            "networks",
            """
            class Fork(Module):
              a : __torch__.torch.nn.modules.linear.Linear
              def forward(self: __torch__.networks.Fork,
                x: Tensor) -> Tensor:
                a = self.a
                weight = a.weight
                def __forked_function():
                  a0 = self.a
                  return torch.linear(x, weight, a0.bias)
                _0 = fork(__forked_function)
                return torch.wait(_0)
            """);

    assertThat(code.unreadable()).isEmpty();
    assertThat(code.untraced("weight")).isEmpty();
    assertThat(code.reads(Texts.linearOf(code), "bias"))
        .extracting(AttributeRead::module)
        .containsExactlyInAnyOrder("self", "a0");
    assertThat(code.reads(Texts.linearOf(code), "weight").get(1).calls())
        .extracting(CallArgument::function)
        .containsExactly("torch.linear");
  }

  private static final String CALLERS =
      """
      class Inner(Module):
        def forward(self: __torch__.networks.Inner,
          input: Tensor,
          weight: Tensor) -> Tensor:
          return torch.linear(input, weight)
      class Outer(Module):
        inner : __torch__.networks.Inner
        def forward(self: __torch__.networks.Outer,
          x: Tensor,
          w: Tensor) -> Tensor:
          inner = self.inner
          return (inner).forward(x, w, )
      class Root(Module):
        a : __torch__.torch.nn.modules.linear.Linear
        inner : __torch__.networks.Inner
        outer : __torch__.networks.Outer
        def forward(self: __torch__.networks.Root,
          x: Tensor) -> Tensor:
          a = self.a
          weight = a.weight
          _0 = (self.inner).forward(x, weight=a.weight)
          return (self.outer).forward(_0, weight, )
      """;

  @Test
  void what_a_parameter_is_given_is_followed_to_the_attribute_that_it_is_of() {
    ScriptCode code = Texts.linearAnd("networks", CALLERS);
    ScriptType inner = code.type("__torch__.networks.Inner").orElseThrow();

    assertThat(code.given(inner, "forward", "weight"))
        .contains(Set.of(new ScriptAttribute(Texts.LINEAR_TYPE, "weight")));
    assertThat(code.given(inner, "forward", "input")).as("x of the root").isEmpty();
  }

  @Test
  void what_a_parameter_is_given_is_not_told_where_a_value_is_computed() {
    ScriptCode code =
        Texts.linearAnd(
            "networks",
            CALLERS.replace("forward(_0, weight, )", "forward(_0, torch.neg(weight), )"));
    ScriptType inner = code.type("__torch__.networks.Inner").orElseThrow();

    assertThat(code.given(inner, "forward", "weight")).isEmpty();
  }

  @Test
  void a_method_calls_its_module_what_it_likes() {
    ScriptCode code = Texts.linearAnd("networks", Texts.READER);

    assertThat(code.type("__torch__.networks.Reader").orElseThrow().self("forward"))
        .isEqualTo("me");
  }

  @Test
  void operators_that_change_what_is_read_are_told_apart_from_others() {
    ScriptCode code =
        Texts.linear(
            Texts.LINEAR.replace(
                "    bias = self.bias\n",
                """
                    bias = self.bias
                    _0 = torch.mul_(weight, 0.5)
                    _1 = torch.__isnot__(weight, None)
                    _2 = torch.add_(input, weight)
                """));

    assertThat(code.reads(Texts.linearOf(code), "weight").get(0).changers())
        .containsExactly("torch.mul_");
  }

  @Test
  void nothing_changes_without_a_change() {
    assertThat(Texts.linearAnd("networks", Texts.READER).changedTexts()).isEmpty();
  }
}
