"""Writes small TorchScript archives of convolutions of every geometry, whose sums are exact in float32.

    PYTHONHASHSEED=0 python interop/models/make_convolutions.py [OUT]     (default: formats/torch/src/test/resources/models/convolutions)

Weights are codes from -127 to 127 over 128, so that every output channel has the scale 1/128; biases are multiples of 1/64. Each network takes a
float32 tensor and returns what each of its convolutions makes of it.
"""
import sys
import warnings
from pathlib import Path
from typing import Tuple

import torch
import torch.nn as nn

import neutral

DEFAULT = Path(__file__).resolve().parents[2] / "formats/torch/src/test/resources/models/convolutions"
Tensor = torch.Tensor


class Planes(nn.Module):
    def __init__(self):
        super().__init__()
        self.plain = nn.Conv2d(16, 32, 3, padding=1)
        self.twin = nn.Conv2d(16, 32, 3, padding=1)
        self.strided = nn.Conv2d(16, 32, 3, stride=(2, 1), padding=(2, 0), bias=False)
        self.dilated = nn.Conv2d(16, 32, 3, dilation=(1, 2))
        self.grouped = nn.Conv2d(16, 64, 3, groups=2, padding=1)
        self.same = nn.Conv2d(16, 32, (3, 5), padding="same", dilation=(2, 1))
        self.valid = nn.Conv2d(16, 32, 3, padding="valid")
        self.uneven = nn.Conv2d(16, 32, 4, padding="same")
        self.reflecting = nn.Conv2d(16, 32, 3, padding=1, padding_mode="reflect")
        self.depthwise = nn.Conv2d(16, 16, 3, groups=16)
        self.small = nn.Conv2d(16, 4, 3)
        self.narrow = nn.Conv2d(16, 30, (1, 9), stride=(3, 3))

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        return (self.plain(x), self.twin(x), self.strided(x), self.dilated(x), self.grouped(x), self.same(x), self.valid(x), self.uneven(x),
                self.reflecting(x), self.depthwise(x), self.small(x), self.narrow(x))


class Chain(nn.Module):
    """Convolutions behind each other, so that what one returns need not be contiguous."""

    def __init__(self, first, second):
        super().__init__()
        self.first = first
        self.second = second

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.relu(self.first(x)))


class Viewed(Chain):
    """Depends on how the output of a convolution lies in memory."""

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.relu(self.first(x))).view(x.size(0), -1)


def exact(network):
    for module in network.modules():
        if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
            codes = torch.randint(-127, 128, module.weight.shape)
            codes.flatten(1)[:, 0] = 127
            module.weight.data = codes / 128
            if module.bias is not None:
                module.bias.data = torch.randint(-64, 64, module.bias.shape) / 64
    return network.eval()


def networks():
    image = torch.randn(2, 16, 9, 10)
    yield "planes", Planes(), image, True
    yield "planes_traced", Planes(), image, False
    yield "rows", nn.Conv1d(16, 32, 9, stride=2, padding=3), torch.randn(2, 16, 21), True
    yield "volumes", nn.Conv3d(8, 20, 3, padding=(1, 0, 2), stride=(1, 2, 1)), torch.randn(2, 8, 4, 7, 5), False
    yield "chain", Chain(nn.Conv2d(16, 32, 3, padding=1), nn.Conv2d(32, 32, 3, padding=1, bias=False)), image, True
    yield "viewed", Viewed(nn.Conv2d(16, 32, 3, padding=1), nn.Conv2d(32, 32, 3, padding=1, bias=False)), image, False


def main(out):
    warnings.simplefilter("ignore")
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(20261128)
    for name, network, example, scripted in networks():
        exact(network)
        with torch.no_grad():
            archive = torch.jit.script(network) if scripted else torch.jit.trace(network, example, check_trace=False)
        archive.save(out / f"{name}.pt")
        neutral.neutralize(out / f"{name}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
