"""The models that are checked, each with the network that Python runs it by and inputs to run it on."""
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from kvant import DIGITS, MODELS

import make_digits
import networks

DTYPES = ("int8", "fp8_e4m3fn", "fp8_e5m2")


@dataclass(frozen=True)
class Subject:
    name: str
    network: torch.nn.Module
    inputs: torch.Tensor
    labels: torch.Tensor | None
    files: tuple[Path, ...]
    # Modules of the network that hold parameters of less than float32 make outputs coarser.
    tolerance: float
    # Scans that a dtype may get wrong in addition.
    allowance: dict[str, int]

    def right(self, outputs):
        return int((outputs.argmax(1) == self.labels).sum())

    @property
    def archives(self):
        return tuple(path for path in self.files if path.suffix == ".pt")


def digits(name, network, archives):
    scans = np.load(DIGITS / "data/test.npz")
    network.load_state_dict(torch.load(DIGITS / f"models/{name}.pth", weights_only=True))
    files = [DIGITS / "models" / file for file in [*archives, f"{name}.pth", f"{name}.safetensors"]]
    return Subject(name, network.eval(), torch.tensor(scans["input"]), torch.tensor(scans["label"]), tuple(files), 1e-4,
                   {"int8": 1, "fp8_e4m3fn": 1, "fp8_e5m2": 6})


def own(name, network, seed):
    files = [MODELS / file for file in [f"{name}.pt", f"{name}_traced.pt", f"{name}.pth", f"{name}.safetensors"]]
    return Subject(name, networks.build(network, seed), networks.tokens(batch=16, seed=2), None, tuple(files), 1e-2, {})


@cache
def subjects():
    torch.backends.mha.set_fastpath_enabled(False)
    return (
        digits("resnet", make_digits.DigitsResNet(), ["resnet_scripted.pt", "resnet_traced.pt"]),
        digits("transformer", make_digits.DigitsTransformer(), ["transformer_traced.pt"]),
        own("tied", networks.Tied, 0),
        own("mixed", networks.Mixed, 7),
    )
