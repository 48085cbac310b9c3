"""Bad input ends in one clear message and leaves nothing behind; special weights come out as documented."""
import pickle
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from kvant import CHECKPOINT, MODELS, Checks, kvant, quantized, spec
from torchao_peer import QUANTIZED

MARK = "hostile-was-here"
REFUSED = """frozen.pt legacy.pth whole_module.pth hostile.pth hostile_bare.pth big_endian.pth lying_size.pth lying_size_small.pth
outside.pth outside_offset.pth outside_stride.pth negative_size.pth overflowing_size.pth short_record.pth missing_record.pth
cut_pickle.pth truncated.pth truncated.pt empty.pt text.pt zip_of_other_things.pt header_longer_than_file.safetensors
header_absurd_length.safetensors header_not_json.safetensors overlapping.safetensors hole.safetensors outside.safetensors
backwards.safetensors wrong_shape.safetensors unknown_dtype.safetensors sharded_missing""".split()
STACK_TRACE = re.compile(r"^\s+at [\w.$/]+\(|^Exception in thread", re.MULTILINE)

checks = Checks()


def readable(run):
    return bool(run.err.strip()) and not STACK_TRACE.search(run.said)


with tempfile.TemporaryDirectory(prefix="kvant-interop-") as name:
    folder = Path(name)
    loading = f"import pickle; pickle.load(open({str(MODELS / 'hostile_bare.pth')!r}, 'rb'))"
    subprocess.run([sys.executable, "-c", loading], cwd=folder, check=True)
    checks.that("the hostile pickle does what it says in a reader that executes", (folder / MARK).exists())
    (folder / MARK).unlink(missing_ok=True)

    for file in ["hostile.pth", "hostile_bare.pth", "hostile_entry.pth"]:
        run = kvant("inspect", MODELS / file, cwd=folder)
        checks.that(f"inspect {file}: nothing of it is executed", not (folder / MARK).exists() and run.code in (0, 1) and
                    not STACK_TRACE.search(run.said), run.said)
        (folder / MARK).unlink(missing_ok=True)
    run = kvant("inspect", MODELS / "hostile_entry.pth", cwd=folder)
    checks.that("inspect hostile_entry.pth: the tensor beside it is read", run.code == 0 and "weight" in run.out, run.said)

    document = spec([("*", "int8")], folder / "spec.yaml")
    for file in [*REFUSED, "is_not_there.pt"]:
        out = folder / "out"
        run = kvant("quantize", "-c", document, "--model", MODELS / file, "--out", out, cwd=folder)
        left = sorted(path.name for path in out.rglob("*")) if out.exists() else []
        checks.that(f"quantize {file}: refused", run.code == 1 and file in run.err and readable(run) and not left,
                    f"exit code {run.code}, left {left}: {run.said}")
        checks.that(f"quantize {file}: nothing is executed", not (folder / MARK).exists())

    for value, word in [(float("nan"), "NaN"), (float("inf"), "Inf"), (-float("inf"), "Inf")]:
        weight = torch.randn(6, 8)
        weight[3, 5] = value
        torch.save({"good.weight": torch.randn(4, 4), "bad.weight": weight}, folder / "model.pth")
        out = folder / "out"
        run = kvant("quantize", "-c", document, "--model", folder / "model.pth", "--out", out, cwd=folder)
        checks.that(f"a weight of {value}: refused by name", run.code == 1 and "bad.weight" in run.err and "3" in run.err and
                    word.lower() in run.err.lower() and readable(run) and not (out / CHECKPOINT).exists(), run.said)

    weight = torch.randn(6, 8)
    weight[2] = 0
    weight[4] = -0.0
    for dtype in [torch.float32, torch.float16, torch.bfloat16]:
        torch.save({"layer.weight": weight.to(dtype)}, folder / "model.pth")
        for kind in ["int8", "fp8_e4m3fn", "fp8_e5m2"]:
            what = f"rows of zeros, {str(dtype).removeprefix('torch.')} as {kind}"
            with checks.group(what), quantized(folder / "model.pth", [("layer", kind)]) as out:
                found = torch.load(out / CHECKPOINT, weights_only=True)["layer.weight"]
                zeros = found.qdata[[2, 4]].to(torch.float32)
                checks.that(f"{what}: zeros", isinstance(found, QUANTIZED) and bool((zeros == 0).all()))
                scale = found.scale[[2, 4]].reshape(-1).tolist()
                # int8 has torchao's own smallest scale; float8, where torchao divides by zero, has 1.
                wanted = 2.0**-23 if kind == "int8" else 1.0
                checks.that(f"{what}: scale {wanted:g}", scale == [wanted, wanted], str(scale))
                checks.that(f"{what}: finite when dequantized", bool(found.dequantize().isfinite().all()))
checks.end()
