"""The networks that Kvant and ModelOpt quantize alike, each with its archive, batches to calibrate and inputs to compare on."""
import contextlib
import io
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from kvant import DIGITS, MODELS, ROOT

sys.path.append(str(ROOT / "benchmarks/peers"))
import make_digits
import make_minilm
import networks

RESNET = ("Conv2d", "Linear")
MIXED = ("Linear", "Conv2d", "ConvTranspose2d")
# The modules of Mixed whose weights are float32.
IN_FLOAT32 = ("conv", "back", "first", "second", "stack.0", "stack.3")


@dataclass(frozen=True)
class Subject:
    name: str
    network: nn.Module
    archive: Path
    kinds: tuple
    batches: list
    inputs: dict
    labels: object = None
    kwargs: tuple = ()
    # Whether the layers are so many that the last bits in which float32 differs between two releases of libtorch grow to rounding steps.
    is_deep: bool = False
    # Whether the archive calls attention as one operator. A scripted one does where it may, a traced one does as its network did.
    is_attention_fused: bool = False

    def of(self, *modules):
        """The same with a rule for each of these modules alone."""
        return replace(self, kinds=modules)

    def run(self, model, inputs=None):
        torch.backends.mha.set_fastpath_enabled(self.is_attention_fused)
        with torch.no_grad():
            return model(*(self.inputs if inputs is None else inputs).values())


def digits(name, network, archive, kinds):
    network.load_state_dict(torch.load(DIGITS / f"models/{name}.pth", weights_only=True))
    scans = torch.tensor(np.load(DIGITS / "data/calibration.npz")["input"])
    test = np.load(DIGITS / "data/test.npz")
    return Subject(archive, network.eval(), DIGITS / "models" / archive, kinds, [{"x": part} for part in scans.split(64)],
                   {"x": torch.tensor(test["input"])}, torch.tensor(test["label"]))


def resnet(archive):
    return digits("resnet", make_digits.DigitsResNet(), archive, RESNET)


def transformer():
    return digits("transformer", make_digits.DigitsTransformer(), "transformer_traced.pt", ("Linear",))


def mixed(archive, is_attention_fused):
    tokens = networks.tokens(batch=64, seed=3)
    return Subject(archive, networks.build(networks.Mixed, 7), MODELS / archive, MIXED, [{"tokens": part} for part in tokens.split(16)],
                   {"tokens": networks.tokens(batch=40, seed=4)}, kwargs=(("drop_buffers", ["positions"]),),
                   is_attention_fused=is_attention_fused)


def scripted():
    return mixed("mixed.pt", is_attention_fused=True)


def traced():
    return mixed("mixed_traced.pt", is_attention_fused=False)


def minilm(archive=None):
    """The sentence encoder that the benchmarks measure, with their archive or with one that this torch traces."""
    data = make_minilm.DEFAULT
    source = make_minilm.packaged(data)
    if not (data / "sentences.npz").exists():
        data.mkdir(parents=True, exist_ok=True)
        make_minilm.texts(source, data)
    network = make_minilm.encoder(source)
    if archive is not None:
        make_minilm.trace(network, archive)
    elif not (data / "minilm_traced.pt").exists():
        with contextlib.redirect_stdout(io.StringIO()):
            make_minilm.main(data)
    calibration, sentences = (np.load(data / f"{name}.npz") for name in ("calibration", "sentences"))
    batches = [{name: torch.from_numpy(calibration[name][i:i + 16]) for name in calibration} for i in range(0, 64, 16)]
    return Subject("MiniLM", network, archive or data / "minilm_traced.pt", ("Linear",), batches,
                   {name: torch.from_numpy(sentences[name]) for name in sentences}, is_deep=True)
