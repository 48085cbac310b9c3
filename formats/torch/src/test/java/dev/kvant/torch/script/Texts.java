package dev.kvant.torch.script;

import java.util.LinkedHashMap;
import java.util.Map;

/** Code as torch writes it into archives. */
final class Texts {

  static final String LINEAR_TYPE = "__torch__.torch.nn.modules.linear.Linear";

  /** torch 2, scripted. */
  static final String LINEAR =
      """
      class Linear(Module):
        __parameters__ = ["weight", "bias", ]
        __buffers__ = []
        weight : Tensor
        bias : Tensor
        training : bool
        _is_full_backward_hook : NoneType
        out_features : Final[int] = 32
        in_features : Final[int] = 16
        def forward(self: __torch__.torch.nn.modules.linear.Linear,
          input: Tensor) -> Tensor:
          weight = self.weight
          bias = self.bias
          return torch.linear(input, weight, bias)
      """;

  /** torch 1.5, scripted: attributes stand where they are used, and there is no list of buffers. */
  static final String OLD_LINEAR =
      """
      class Linear(Module):
        __parameters__ = ["weight", "bias", ]
        weight : Tensor
        bias : None
        training : bool
        out_features : Final[int] = 4
        def forward(self: __torch__.torch.nn.modules.linear.Linear,
          input: Tensor) -> Tensor:
          _0 = __torch__.torch.nn.functional.linear
          return _0(input, self.weight, self.bias, )

      """;

  /** A module that uses its child's weight without calling the child. */
  static final String READER =
      """
      class Reader(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        proj : __torch__.torch.nn.modules.linear.Linear
        __annotations__["0"] = __torch__.torch.nn.modules.linear.Linear
        def forward(me: __torch__.networks.Reader,
          x: Tensor) -> Tensor:
          proj = me.proj
          weight = proj.weight
          proj0 = me.proj
          bias = proj0.bias
          y = torch.linear(x, weight, bias)
          if torch.gt(torch.size(weight, 0), 3):
            y0 = torch.relu(y)
          else:
            y0 = y
          z = torch.matmul(y0, torch.t(getattr(me, "0").weight))
          return (proj).forward(torch.add(z, me.proj.bias), )
      """;

  private Texts() {}

  /** The code of an archive with the torch 2 Linear and another module. */
  static ScriptCode linearAnd(String module, String text) {
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put("code/__torch__/torch/nn/modules/linear.py", LINEAR);
    texts.put("code/__torch__/" + module + ".py", text);
    return ScriptCode.parse(texts);
  }

  static ScriptCode linear(String text) {
    return ScriptCode.parse(Map.of("code/__torch__/torch/nn/modules/linear.py", text));
  }

  static ScriptType linearOf(ScriptCode code) {
    return code.type(LINEAR_TYPE).orElseThrow();
  }
}
