"""Convolutions of integers give in Python's torch and in DJL what sums of integer products give, and pass through save and freeze."""
import io
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F

from kvant import ROOT, Checks
from modelopt_peer import RUNNABLE, by_djl, quantize

MODELS = ROOT / "formats/torch/src/test/resources/models/convolutions"
AMAX = 127 / 64
LAST_BITS = 2.0**-16  # a unit of a sum is about 2**-13
GEOMETRIES = {
    "rows": dict(stride=2, padding=3),
    "volumes": dict(stride=(1, 2, 1), padding=(1, 0, 2)),
}
SHAPES = {"chain": (16, 9, 10), "rows": (16, 21), "volumes": (8, 4, 7, 5)}
CONVOLUTIONS = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}

checks = Checks()
torch.manual_seed(0)


def codes(x):
    return torch.clamp(torch.round(x * 64), -128, 127)


def scales(weight):
    """The scale of each output with which no pair of neighbouring input channels exceeds 128 codes."""
    outputs = weight.flatten(1)
    scale = outputs.abs().amax(1).double() / 127
    pairs = weight.double().unflatten(1, (-1, 2))
    one, other = pairs[:, :, 0].flatten(1), pairs[:, :, 1].flatten(1)
    sums = torch.where((one < 0) == (other < 0), one.abs() + other.abs(), 0).amax(1)
    return torch.maximum(scale, sums / 128).reshape([-1] + [1] * (weight.dim() - 1))


def wanted(name, model, weight, x):
    convolve = CONVOLUTIONS[model.weight.dim()]
    return convolve(codes(x).double() / 64, weight.double(), model.bias.double(), **GEOMETRIES[name])


with tempfile.TemporaryDirectory(prefix="kvant-interop-") as folder:
    for name, shape in SHAPES.items():
        with checks.group(name):
            out = Path(folder) / name
            model = torch.jit.load(MODELS / f"{name}.pt")
            argument = model.forward.schema.arguments[1].name
            quantize(MODELS / f"{name}.pt", out, ["*"], [{argument: torch.full((2, *shape), AMAX)}],
                     backend_kwargs={"target": "cpu", "weights": "per_channel"})
            x = torch.randn(4, *shape)
            artifact = torch.jit.load(out / RUNNABLE)
            with torch.no_grad():
                answer = artifact(x)
                if name in GEOMETRIES:
                    weight, expected = artifact.unpacked_weight(), scales(model.weight)
                    rounded = torch.clamp(torch.round(model.weight.double() / expected), -128, 127)
                    difference = (weight.double() / expected - rounded).abs().max()
                    checks.that(f"{name}: weights are rounded so that no pair of products exceeds 16 bits", difference < 1e-3)
                    difference = (answer.double() - wanted(name, model, weight, x)).abs().max()
                    checks.that(f"{name}: torch gives the sums of integers", difference < LAST_BITS)
                checks.that(f"{name}: contiguous", answer.is_contiguous())
                saved = io.BytesIO()
                torch.jit.save(artifact, saved)
                saved.seek(0)
                checks.that(f"{name}: saved again it gives the same", torch.equal(torch.jit.load(saved)(x), answer))
                checks.that(f"{name}: frozen it gives the same", torch.equal(torch.jit.freeze(artifact.eval())(x), answer))
            djl = by_djl([out / RUNNABLE], {argument: x}, Path(folder))[0].reshape(answer.shape)
            checks.that(f"{name}: DJL gives the same", torch.equal(djl, answer))
checks.end()
