"""Writes TorchScript archives of one Linear module each, to run before and after quantization.

    python benchmarks/peers/make_linear.py [OUT] [NxK ...]      (default: benchmarks/data/linear 4096x4096 1536x384)
"""
import sys
from pathlib import Path

import torch
import torch.nn as nn

DEFAULT = Path(__file__).resolve().parents[1] / "data/linear"


class OneLinear(nn.Module):
    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x)


def main(out, sizes):
    out.mkdir(parents=True, exist_ok=True)
    for size in sizes:
        outputs, inputs = map(int, size.split("x"))
        torch.manual_seed(0)
        path = out / f"linear_{outputs}x{inputs}.pt"
        torch.jit.script(OneLinear(inputs, outputs).eval()).save(path)
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(Path(arguments[0]) if arguments else DEFAULT, arguments[1:] or ["4096x4096", "1536x384"])
