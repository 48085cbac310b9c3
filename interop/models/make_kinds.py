"""Writes small TorchScript archives and checkpoints of the kinds that are easily got wrong.

    PYTHONHASHSEED=0 python interop/models/make_kinds.py [OUT]      (default: formats/torch/src/test/resources/models/kinds)

Needs torch 2.15, torchao 0.18, ModelOpt 0.47 and transformers. Archives take a float32 tensor `x`: shape [batch, 16], or [batch, 3, 12] for
the convolutions.
"""
import sys
import warnings
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.nn.utils.prune

import neutral

DEFAULT = Path(__file__).resolve().parents[2] / "formats/torch/src/test/resources/models/kinds"


class Chain(nn.Module):
    def __init__(self, first, second):
        super().__init__()
        self.first = first
        self.second = second

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(torch.relu(self.first(x)))


class Fork(nn.Module):
    """A module in a branch of its own, and a function that is given a module's weight in another."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(16, 8)
        self.second = nn.Linear(16, 8)
        self.last = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        one = torch.jit.fork(self.first, x)
        two = torch.jit.fork(F.linear, x, self.second.weight, self.second.bias)
        return self.last(torch.relu(torch.jit.wait(one) + torch.jit.wait(two)))


@torch.jit.interface
class Layer(nn.Module):
    def forward(self, input: torch.Tensor) -> torch.Tensor:
        pass


class ByInterface(nn.Module):
    """A child whose class the code does not name."""

    first: Layer

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(16, 8)
        self.last = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.first.forward(x)))


class Standardized(nn.Linear):
    """Multiplies with something else than its weight, and calls itself `me`."""

    def forward(me, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, me.weight - me.weight.mean(1, keepdim=True), me.bias)


class Decayed(nn.Module):
    """Changes a child's weight as it runs."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(16, 8)
        self.last = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.first.weight.mul_(0.5)
        return self.last(torch.relu(self.first(x)))


class Shifted(nn.Module):
    """Adds another bias than that of its Linear."""

    def __init__(self):
        super().__init__()
        self.first = Biased(16, 8)
        self.last = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.first(x)))


class Biased(nn.Linear):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, self.weight, self.bias * 3)


# Rules for Linear are meant to reach them.
for derived in (Standardized, Biased):
    derived.__name__ = derived.__qualname__ = "Linear"


def chain(change, *arguments):
    network = Chain(nn.Linear(16, 8), nn.Linear(8, 4))
    return Chain(change(network.first, *arguments), network.second)


def archives():
    old, new = nn.utils, nn.utils.parametrizations
    vectors, signals = torch.randn(4, 16), torch.randn(2, 3, 12)
    yield "weight_norm", chain(old.weight_norm), vectors, False
    yield "spectral_norm", chain(old.spectral_norm), vectors, False
    yield "pruned", chain(nn.utils.prune.l1_unstructured, "weight", 0.3), vectors, False
    yield "parametrized", Chain(new.weight_norm(nn.Linear(16, 8)), Chain(new.spectral_norm(nn.Linear(8, 8)), nn.Linear(8, 4))), vectors, False
    yield "bias_norm", chain(old.weight_norm, "bias"), vectors, False
    yield "fork", Fork(), vectors, True
    yield "fork_traced", Fork(), vectors, False
    yield "interface", ByInterface(), vectors, True
    yield "standardized", Chain(Standardized(16, 8), nn.Linear(8, 4)), vectors, True
    yield "decayed", Decayed(), vectors, False
    yield "shifted", Shifted(), vectors, True
    yield "linear", nn.Linear(16, 8), vectors, False
    yield "convolution", nn.Conv1d(3, 8, 3), signals, True
    yield "convolution_norm", old.weight_norm(nn.Conv1d(3, 8, 3)), signals, False
    # Made by torch.ao.quantization, in the three states that its models are in.
    ao = torch.ao.quantization
    yield "packed", ao.quantize_dynamic(chain(nn.Sequential), {nn.Linear}), vectors, True
    yield "packed_in_part", ao.quantize_dynamic(chain(nn.Sequential), {"second": ao.default_dynamic_qconfig}), vectors, False
    trained = Chain(nn.Linear(16, 8), nn.Linear(8, 4)).train()
    trained.qconfig = ao.get_default_qat_qconfig("x86")
    trained = ao.prepare_qat(trained)
    trained(vectors)
    yield "fake_quantized", trained, vectors, False


def checkpoints():
    from modelopt.torch.quantization import INT8_DEFAULT_CFG, quantize
    from torchao.quantization import Int8WeightOnlyConfig, IntxWeightOnlyConfig, quantize_
    from transformers import GPT2Config, GPT2LMHeadModel

    network = Chain(nn.Linear(32, 16), nn.Linear(16, 32))
    quantize_(network.second, Int8WeightOnlyConfig())
    yield "torchao_in_part", network.state_dict()
    network = Chain(nn.Linear(32, 16), nn.Linear(16, 32))
    quantize_(network, IntxWeightOnlyConfig(weight_dtype=torch.int4))
    yield "torchao_int4", network.state_dict()
    network = Chain(nn.Linear(16, 8), nn.Linear(8, 4))
    yield "modelopt", quantize(network, INT8_DEFAULT_CFG, lambda net: net(torch.randn(4, 16))).state_dict()
    network = Chain(nn.Linear(16, 8), nn.Linear(8, 4))
    yield "torch_ao", torch.ao.quantization.quantize_dynamic(network, {nn.Linear}).state_dict()
    yield "linear", nn.Linear(16, 8).state_dict()
    yield "parametrized", nn.utils.parametrizations.weight_norm(nn.Linear(16, 8)).state_dict()
    config = GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=20, n_positions=8, bos_token_id=0, eos_token_id=0)
    yield "gpt2", GPT2LMHeadModel(config).state_dict()


def main(out):
    warnings.simplefilter("ignore")
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(20261128)
    for name, network, example, scripted in archives():
        network.eval()
        with torch.no_grad():
            archive = torch.jit.script(network) if scripted else torch.jit.trace(network, example, check_trace=False)
        archive.save(out / f"{name}.pt")
        neutral.neutralize(out / f"{name}.pt")
    for name, state in checkpoints():
        torch.save(state, out / f"{name}.pth")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
