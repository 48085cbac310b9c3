"""Convolutions of integers give in Python's torch and in DJL what sums of integer products give, to the bit, and pass through save and freeze."""
import io
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F

from kvant import ROOT, Checks
from modelopt_peer import RUNNABLE, by_djl, quantize

MODELS = ROOT / "formats/torch/src/test/resources/models/convolutions"
AMAX = 127 / 64  # so that all scales are powers of two and float32 holds every sum
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


def wanted(name, model, x):
    convolve = CONVOLUTIONS[model.weight.dim()]
    return convolve((codes(x) / 64).double(), model.weight.double(), model.bias.double(), **GEOMETRIES[name]).float()


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
                    checks.that(f"{name}: torch gives the sums of integers", torch.equal(answer, wanted(name, model, x)))
                checks.that(f"{name}: contiguous", answer.is_contiguous())
                saved = io.BytesIO()
                torch.jit.save(artifact, saved)
                saved.seek(0)
                checks.that(f"{name}: saved again it gives the same", torch.equal(torch.jit.load(saved)(x), answer))
                checks.that(f"{name}: frozen it gives the same", torch.equal(torch.jit.freeze(artifact.eval())(x), answer))
            djl = by_djl([out / RUNNABLE], {argument: x}, Path(folder))[0].reshape(answer.shape)
            checks.that(f"{name}: DJL gives the same", torch.equal(djl, answer))
checks.end()
