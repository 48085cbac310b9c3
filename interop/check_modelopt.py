"""ModelOpt restores the checkpoint, finds the ranges that it finds itself, and computes what the runnable archive computes."""
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from kvant import DIGITS, MODELS, ROOT, Checks, kvant
from modelopt_peer import CHECKPOINT, RUNNABLE, by_djl, cosines, off, own, quantize, quantizers, restored, ulps

sys.path.append(str(ROOT / "benchmarks/peers"))
import make_digits
import make_minilm
import networks

CLOSE = 1e-4
COSINE = 0.003
SCANS = 1
LOST = 2
ROWS = 0.995
ROW = 1e-5

checks = Checks()
torch.manual_seed(0)
torch.backends.mha.set_fastpath_enabled(False)


@dataclass
class Subject:
    name: str
    network: nn.Module
    archive: Path
    kinds: tuple
    batches: list
    inputs: dict
    labels: object = None
    kwargs: tuple = ()
    ulps: int = 1
    # Whether the layers are so many that the last bits in which float32 differs between two releases of libtorch grow to rounding steps.
    is_deep: bool = False


def digits(name, network, archive, kinds):
    network.load_state_dict(torch.load(DIGITS / f"models/{name}.pth", weights_only=True))
    scans = torch.tensor(np.load(DIGITS / "data/calibration.npz")["input"])
    test = np.load(DIGITS / "data/test.npz")
    argument = "x"
    return Subject(archive, network.eval(), DIGITS / "models" / archive, kinds, [{argument: part} for part in scans.split(64)],
                   {argument: torch.tensor(test["input"])}, torch.tensor(test["label"]))


def mixed(archive, ulps=1):
    tokens = networks.tokens(batch=64, seed=3)
    return Subject(archive, networks.build(networks.Mixed, 7), MODELS / archive, ("Linear", "Conv2d", "ConvTranspose2d"),
                   [{"tokens": part} for part in tokens.split(16)], {"tokens": networks.tokens(batch=40, seed=4)},
                   kwargs=(("drop_buffers", ["positions"]),), ulps=ulps)


def minilm():
    """The sentence encoder that the benchmarks measure; None where its package cannot be had."""
    data = make_minilm.DEFAULT
    try:
        if not (data / "minilm_traced.pt").exists():
            make_minilm.main(data)
    except Exception as problem:
        print(f"MiniLM is left out: {problem}")
        return None
    calibration, sentences = (np.load(data / f"{name}.npz") for name in ("calibration", "sentences"))
    batches = [{name: torch.from_numpy(calibration[name][i:i + 16]) for name in calibration} for i in range(0, 64, 16)]
    return Subject("MiniLM", make_minilm.encoder(make_minilm.packaged(data)), data / "minilm_traced.pt", ("Linear",), batches,
                   {name: torch.from_numpy(sentences[name]) for name in sentences}, ulps=16, is_deep=True)


def run(model, inputs):
    with torch.no_grad():
        return model(*inputs.values())


def whole(subject, axis, dtype, target, folder):
    what = f"{subject.name}, {dtype}, {'per tensor' if axis is None else 'per channel'}, {target}"
    with checks.group(what):
        out = folder / "out"
        kwargs = {"target": target, **dict(subject.kwargs)}
        if axis is not None:
            kwargs["weights"] = "per_channel"
        quantize(subject.archive, out, subject.kinds, subject.batches, dtype, backend_kwargs=kwargs)
        reference = restored(subject.network, out)
        peer = own(subject.network, reference, subject.batches, dtype)
        ranges, theirs = quantizers(reference), quantizers(peer)
        far = {name: ulps(ranges[name].amax, theirs[name].amax) for name in ranges}
        worst = max(far, key=far.get)
        checks.that(f"{what}: {len(far)} ranges within {subject.ulps} ulp of ModelOpt's, {worst} off by {far[worst]}",
                    far[worst] <= subject.ulps)
        wanted, plain = run(reference, subject.inputs), run(subject.network, subject.inputs)
        checks.that(f"{what}: the restored model is not the one in float32", off(wanted, plain) > 0)
        script = torch.jit.load(out / RUNNABLE)
        answers = {"torch.jit": run(script, subject.inputs).reshape(-1)}
        answers["DJL"], = by_djl([out / RUNNABLE], subject.inputs, folder)
        for runner, answer in answers.items():
            answer = answer.reshape(wanted.shape)
            if target == "portable" and not (subject.is_deep and runner == "DJL"):
                apart = off(answer, wanted)
                checks.that(f"{what}: {runner} within {CLOSE:g} of the restored model's range, off by {apart:.1e}", apart <= CLOSE)
            else:
                for other, outputs in {"the restored model": wanted, "ModelOpt's own": run(peer, subject.inputs)}.items():
                    here, there = (cosines(each, plain).mean().item() for each in (answer, outputs))
                    checks.that(f"{what}: {runner} has cosine {here:.4f} to float32, {other} {there:.4f}", abs(here - there) <= COSINE)
            if subject.labels is not None:
                right, there, before = (int((each.argmax(1) == subject.labels).sum()) for each in (answer, wanted, plain))
                checks.that(f"{what}: {runner} has {right} of {len(subject.labels)} right, the restored model {there}, float32 {before}",
                            abs(right - there) <= SCANS and right >= before - LOST)


def alone(dtype, axis, target, folder):
    """One Linear by itself: no layer behind it that makes more of a rounding step than there is."""
    what = f"one Linear, {dtype}, {'per tensor' if axis is None else 'per channel'}, {target}"
    with checks.group(what):
        torch.manual_seed(1)
        network = nn.Sequential(nn.Linear(96, 80)).eval()
        file = folder / "linear.pt"
        torch.jit.trace(network, torch.randn(2, 96)).save(file)
        batches = [{"input": torch.randn(64, 96)} for _ in range(4)]
        inputs = {"input": torch.randn(2000, 96)}
        kwargs = {"target": target, **({} if axis is None else {"weights": "per_channel"})}
        quantize(file, folder / "out", ["Linear"], batches, dtype, backend_kwargs=kwargs)
        reference = restored(network, folder / "out")
        wanted = run(reference, inputs)
        peer = run(own(network, reference, batches, dtype), inputs)
        answers = {"torch.jit": run(torch.jit.load(folder / "out" / RUNNABLE), inputs), "ModelOpt's own": peer}
        answers["DJL"] = by_djl([folder / "out" / RUNNABLE], inputs, folder)[0].reshape(wanted.shape)
        reach = (wanted.max() - wanted.min()).item()
        for runner, answer in answers.items():
            close = ((answer - wanted).abs().amax(1) <= ROW * reach).float().mean().item()
            checks.that(f"{what}: {close:.1%} of the rows of {runner} within {ROW:g} of the range", close >= ROWS)


def unknown(folder):
    """What ModelOpt has no quantizer for is quantized in the runnable archive alone, and the plan inside the checkpoint says so."""
    with checks.group("fp8_e5m2"):
        subject = subjects[0]
        out = folder / "out"
        said = quantize(subject.archive, out, subject.kinds, subject.batches, "fp8_e5m2").said
        reference = restored(subject.network, out)
        checks.that("fp8_e5m2: the restored model is the one in float32", not quantizers(reference)
                    and torch.equal(run(reference, subject.inputs), run(subject.network, subject.inputs)))
        answer = run(torch.jit.load(out / RUNNABLE), subject.inputs)
        right = int((answer.argmax(1) == subject.labels).sum())
        checks.that(f"fp8_e5m2: the archive is quantized and has {right} right",
                    right >= 590 and off(answer, run(subject.network, subject.inputs)) > 0)
        checks.that("fp8_e5m2: the report says that ModelOpt cannot", "ModelOpt" in said and "e5m2" in said, said)


def read_back(folder):
    with checks.group("inspect"):
        subject = subjects[0]
        quantize(subject.archive, folder / "out", subject.kinds, subject.batches)
        shown = kvant("inspect", "--format", "json", folder / "out" / CHECKPOINT)
        names = {module["name"] for module in json.loads(shown.out)["modules"]}
        wanted = {name for name, module in subject.network.named_modules() if name and next(module.parameters(False), None) is not None}
        checks.that("inspect: the checkpoint has the network's modules and a plan", wanted <= names and json.loads(shown.out)["plan"], shown.said)


RESNET = ("Conv2d", "Linear")
subjects = [
    digits("resnet", make_digits.DigitsResNet(), "resnet_traced.pt", RESNET),
    digits("resnet", make_digits.DigitsResNet(), "resnet_scripted.pt", RESNET),
    digits("transformer", make_digits.DigitsTransformer(), "transformer_traced.pt", ("Linear",)),
    mixed("mixed.pt"),
    # The trace has other operators than the network, whose last bits grow in its half-precision modules.
    mixed("mixed_traced.pt", ulps=16),
]

if __name__ == "__main__":
    runs = [(0, None, "int8", "portable"), (0, 0, "int8", "cpu"), (1, 0, "int8", "portable"), (2, None, "int8", "portable"),
            (2, 0, "int8", "cpu"), (2, 0, "fp8_e4m3fn", "portable"), (3, 0, "int8", "portable"), (4, None, "int8", "portable"),
            (4, 0, "int8", "cpu")]
    for number, axis, dtype, target in runs:
        with tempfile.TemporaryDirectory(prefix="kvant-interop-") as folder:
            whole(subjects[number], axis, dtype, target, Path(folder))
    for dtype, axis, target in [("int8", None, "portable"), ("int8", 0, "cpu"), ("fp8_e4m3fn", None, "portable")]:
        with tempfile.TemporaryDirectory(prefix="kvant-interop-") as folder:
            alone(dtype, axis, target, Path(folder))
    encoder = minilm()
    if encoder is not None:
        for axis, target in [(None, "portable"), (0, "cpu")]:
            with tempfile.TemporaryDirectory(prefix="kvant-interop-") as folder:
                whole(encoder, axis, "int8", target, Path(folder))
    for more in (unknown, read_back):
        with tempfile.TemporaryDirectory(prefix="kvant-interop-") as folder:
            more(Path(folder))
    for algorithm in ("minmax", "entropy"):
        with checks.group(f"algorithm: {algorithm}"), tempfile.TemporaryDirectory(prefix="kvant-interop-") as folder:
            subject = subjects[0]
            quantize(subject.archive, Path(folder) / "out", subject.kinds, subject.batches, algorithm=algorithm)
            answer = run(torch.jit.load(Path(folder) / "out" / RUNNABLE), subject.inputs)
            right = int((answer.argmax(1) == subject.labels).sum())
            checks.that(f"algorithm: {algorithm} runs, {right} right", right >= 590)
    checks.end()
