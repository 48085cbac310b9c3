"""In the libtorch that Kvant runs models by: ModelOpt 0.33 restores the checkpoint that is for it, and both compute the same, bit by bit.

ModelOpt 0.33 rounds half-precision weights and inputs in half precision, 0.47 and Kvant in float32, and has float8 on GPUs alone.
"""
import tempfile
from pathlib import Path

import modelopt
import torch

import modelopt_comparison as comparison
import modelopt_subjects as subject_of
from kvant import Checks

checks = Checks()
torch.manual_seed(0)


def whole(subject, axis, dtype="int8", target="portable", is_equal=True, runs=True):
    what = comparison.named(subject, axis, dtype, target)
    with checks.group(what), tempfile.TemporaryDirectory(prefix="kvant-interop-") as folder:
        out = Path(folder) / "out"
        reference = comparison.quantized(subject, axis, dtype, target, out, modelopt_version=0.33)
        peer = comparison.ranges(checks, what, subject, reference, dtype)
        if runs:
            comparison.outputs(checks, what, subject, reference, peer, out, Path(folder), lambda runner: is_equal)


if __name__ == "__main__":
    here = f"torch {torch.__version__} and ModelOpt {modelopt.__version__}"
    checks.that(f"this is {here}", here.startswith("torch 2.7.1") and "ModelOpt 0.33." in here)
    whole(subject_of.resnet("resnet_traced.pt"), None)
    whole(subject_of.resnet("resnet_scripted.pt"), 0)
    whole(subject_of.transformer(), 0)
    whole(subject_of.transformer(), 0, target="cpu", is_equal=False)
    whole(subject_of.transformer(), None, "fp8_e4m3fn", runs=False)
    for mixed in (subject_of.scripted(), subject_of.traced()):
        whole(mixed.of(*subject_of.IN_FLOAT32), None)
        whole(mixed.of(*subject_of.IN_FLOAT32), 0)
        whole(mixed, 0, is_equal=False)
    with checks.group("MiniLM"), tempfile.TemporaryDirectory(prefix="kvant-interop-") as folder:
        # Traced anew, since another release of transformers has other operators in the same encoder.
        encoder = subject_of.minilm(Path(folder) / "minilm.pt")
        whole(encoder, None)
        whole(encoder, 0)
    checks.end()
