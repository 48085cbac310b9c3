"""Makes the models and expected answers that the tests of runners/torch use.

    python make_runtime_models.py OUT_DIR DIGITS_DIR MODELS_DIR

OUT_DIR is runners/torch/src/test/resources/dev/kvant/torch/runtime, DIGITS_DIR has what `examples/digits/make_digits.py` writes, MODELS_DIR is
formats/torch/src/test/resources/models. Arrays are little-endian float32 or int64, row-major, without a header.
"""
import sys
import zipfile
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import numpy as np
import torch
import torch.nn as nn

SCANS = 16


class Echo(nn.Module):
    def forward(self, x):
        return x


class Transposed(nn.Module):
    def forward(self, x):
        return x.t()


class Several(nn.Module):
    def forward(self, x: torch.Tensor) -> Tuple[torch.Tensor, List[torch.Tensor], Optional[torch.Tensor], torch.Tensor]:
        nothing: Optional[torch.Tensor] = None
        return x, [2 * x, 3 * x], nothing, x + 1


class Named(nn.Module):
    def forward(self, x: torch.Tensor) -> Dict[str, torch.Tensor]:
        return {"logits": 2 * x, "hidden": x}


class NamedAmongOthers(nn.Module):
    def forward(self, x: torch.Tensor) -> Tuple[torch.Tensor, Dict[str, Tuple[torch.Tensor, torch.Tensor]]]:
        return x, {"states": (2 * x, 3 * x)}


class Numbered(nn.Module):
    def forward(self, x: torch.Tensor) -> Dict[int, torch.Tensor]:
        return {7: x}


class Text(nn.Module):
    def forward(self, x: torch.Tensor) -> str:
        return "seven"


class Difference(nn.Module):
    def forward(self, left: torch.Tensor, right: torch.Tensor, offset: Optional[torch.Tensor] = None,
                scale: Optional[torch.Tensor] = None, factor: float = 1.0) -> torch.Tensor:
        difference = (left - right) * factor
        if offset is not None:
            difference = difference + offset
        if scale is not None:
            difference = difference * scale
        return difference


class Counted(nn.Module):
    def forward(self, x: torch.Tensor, times: int) -> torch.Tensor:
        return x * times


class Modes(nn.Module):
    """In evaluation mode and without gradients it answers zero and what it was given."""

    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        flags = torch.tensor([int(self.training), int(torch.is_grad_enabled())])
        return flags, self.dropout(x)


class Narrow(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.to(torch.bfloat16)


class Float8(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.to(torch.float8_e4m3fn)


class BFloat16Linear(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 2, dtype=torch.bfloat16)

    def forward(self, x):
        return self.linear(x)


class WithoutForward(nn.Module):
    @torch.jit.export
    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return x


class Endless(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.linear(x)
        while bool((y * 0 == 0).all()):
            y = torch.clamp(self.linear(torch.relu(y)), -1.0, 1.0)
        return y


def main(out, digits, models):
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    scripted = {
        "echo": Echo(), "transposed": Transposed(), "several": Several(), "named": Named(),
        "named_among_others": NamedAmongOthers(), "numbered": Numbered(), "text": Text(), "difference": Difference(), "counted": Counted(),
        "modes": Modes().train(), "narrow": Narrow(), "float8": Float8(), "bfloat16_linear": BFloat16Linear(),
        "without_forward": WithoutForward(), "endless": Endless(),
    }
    for name, module in scripted.items():
        torch.jit.script(module).save(out / f"{name}.pt")
    replace_code(out / "echo.pt", b"return x", b"return torch.no_such_operator(x)", out / "unknown_operator.pt")
    x = torch.linspace(-1, 1, 12).reshape(3, 4).bfloat16()
    with torch.no_grad():
        write(out / "bfloat16_linear.bin", scripted["bfloat16_linear"](x).float())
        scans = np.load(digits / "test.npz")["input"][:SCANS]
        write(out / "scans.bin", torch.from_numpy(scans))
        for name in ("resnet", "transformer"):
            write(out / f"{name}_logits.bin", torch.from_numpy(np.load(digits / f"{name}_logits.npz")["logits"][:SCANS]))
        tokens = torch.arange(24).reshape(2, 12) * 7 % 50
        for name in ("mixed", "mixed_traced", "tied", "tied_traced"):
            answer = torch.jit.load(models / f"{name}.pt").eval()(tokens)
            print(name, answer.dtype, tuple(answer.shape))
            write(out / f"{name}.bin", answer.float())


def replace_code(source, old, new, target):
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w") as changed:
        for name in archive.namelist():
            content = archive.read(name)
            if not name.endswith(".debug_pkl"):
                changed.writestr(name, content.replace(old, new) if name.endswith(".py") else content)


def write(path, tensor):
    path.write_bytes(tensor.contiguous().numpy().tobytes())


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
