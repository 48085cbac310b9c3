"""The runnable archive loads in torch.jit.load, has the interface of the one it was made from, and computes what its weights say."""
import tempfile
import zipfile
from pathlib import Path

import torch
from torch import nn

from kvant import CHECKPOINT, RUNNABLE, Checks, quantized
from subjects import DTYPES, subjects
from torchao_peer import dequantized

# What a model of Linear layers may take in its runnable form.
SHARE = 0.27



def size_without_record(archive):
    """The bytes of an archive but for Kvant's record, which is as large for a small model as for a large one."""
    with zipfile.ZipFile(archive) as content:
        record = sum(each.compress_size for each in content.infolist() if each.filename.endswith("/extra/kvant.json"))
    return archive.stat().st_size - record


def arguments(module):
    """The forward method's arguments and results, without the class of `self`, which Python numbers anew."""
    schema = module.forward.schema
    return [(each.name, str(each.type)) for each in schema.arguments[1:]], [str(each.type) for each in schema.returns]


checks = Checks()
for subject in subjects():
    kinds = sorted({type(module).__name__ for module in subject.network.modules()} & {"Linear", "Embedding"})
    for dtype in DTYPES:
        for file in subject.archives:
            what = f"{file.name} as {dtype}"
            with checks.group(what), quantized(file, [(kind, dtype) for kind in kinds]) as out, torch.no_grad():
                before, after = torch.jit.load(file), torch.jit.load(out / RUNNABLE)
                checks.that(f"{what}: takes and gives the same", arguments(before) == arguments(after),
                            f"{arguments(before)} and {arguments(after)}")
                checks.that(f"{what}: has the same modules", [name for name, _ in before.named_modules()]
                            == [name for name, _ in after.named_modules()])
                reference = dequantized(subject.network, torch.load(out / CHECKPOINT, weights_only=True))
                wanted, outputs = reference(subject.inputs), after(subject.inputs)
                off = (outputs - wanted).abs().max().item() / wanted.abs().max().item()
                checks.that(f"{what}: outputs within {subject.tolerance:g} of their range, off by {off:.1e}", off <= subject.tolerance)
                if subject.labels is not None:
                    right, unquantized = subject.right(outputs), subject.right(before(subject.inputs))
                    checks.that(f"{what}: {right} of {len(subject.labels)} scans correct, {unquantized} before",
                                right >= unquantized - subject.allowance[dtype])
                size, original = size_without_record(out / RUNNABLE), file.stat().st_size
                checks.that(f"{what}: {size} bytes instead of {original}", size < original)

with tempfile.TemporaryDirectory(prefix="kvant-interop-") as folder, torch.no_grad():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(512, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 256)).eval()
    file = Path(folder) / "linears.pt"
    torch.jit.script(network).save(file)
    inputs = torch.randn(8, 512)
    for dtype in DTYPES:
        with checks.group(f"Linear layers as {dtype}"), quantized(file, [("Linear", dtype)]) as out:
            share = (out / RUNNABLE).stat().st_size / file.stat().st_size
            checks.that(f"Linear layers as {dtype}: {share:.1%} of the size in float32", share <= SHARE)
            reference = dequantized(network, torch.load(out / CHECKPOINT, weights_only=True))
            off = (torch.jit.load(out / RUNNABLE)(inputs) - reference(inputs)).abs().max().item()
            checks.that(f"Linear layers as {dtype}: outputs off by {off:.1e}", off <= 1e-4)
checks.end()
