"""With dynamic_ptq the torchao artifact is, to the last bit, what torchao's Int8DynamicActivationInt8WeightConfig makes of the same weights.

The runnable archive loads in torch.jit.load and stays near its model; its codes are torch.ao's where the scales are the same.
"""
import tempfile
from pathlib import Path

import torch
from torch import nn

from kvant import CHECKPOINT, RUNNABLE, Checks, quantized
from subjects import subjects
from torchao_peer import differences, quantized_by_torchao

SETTINGS = {"mode": "dynamic_ptq", "default_layer_dtype": "int8", "default_activation_dtype": "int8"}
# The largest difference of an output, as a part of the largest output.
TOLERANCE = 0.05
SHARE = 0.27

checks = Checks()
for subject in subjects():
    reference = quantized_by_torchao(subject.network, "int8", dynamic=True)
    # What an archive carries and Python does not persist.
    passing = {name for name, _ in subject.network.named_buffers() if name not in subject.network.state_dict()}
    for file in subject.files:
        with checks.group(file.name), quantized(file, [], **SETTINGS) as out, torch.no_grad():
            state = torch.load(out / CHECKPOINT, weights_only=True)
            unequal = differences(reference.state_dict(), {name: value for name, value in state.items() if name not in passing})
            checks.that(f"{file.name}: all entries equal torchao's", not unequal, "; ".join(unequal))
            loaded = type(subject.network)().eval()
            loaded.load_state_dict(state, strict=False, assign=True)
            checks.that(f"{file.name}: outputs equal those of torchao's own model",
                        torch.equal(loaded(subject.inputs), reference(subject.inputs)))
            if file.suffix == ".pt":
                before, after = torch.jit.load(file)(subject.inputs), torch.jit.load(out / RUNNABLE)(subject.inputs)
                off = ((after - before).abs().max() / before.abs().max()).item()
                checks.that(f"{file.name}: the archive is off by {off:.1%} of the largest output", 0 < off <= TOLERANCE)
                if subject.labels is not None:
                    right, unquantized = subject.right(after), subject.right(before)
                    checks.that(f"{file.name}: {right} of {len(subject.labels)} scans correct, {unquantized} before",
                                right >= unquantized - subject.allowance["int8"])

with tempfile.TemporaryDirectory(prefix="kvant-interop-") as folder, torch.no_grad():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(512, 1024), nn.ReLU(), nn.Linear(1024, 256)).eval()
    file = Path(folder) / "linears.pt"
    torch.jit.script(network).save(file)
    with checks.group("Linear layers"), quantized(file, [], backend_kwargs={"reduce_range": False}, **SETTINGS) as out:
        share = (out / RUNNABLE).stat().st_size / file.stat().st_size
        checks.that(f"Linear layers: {share:.1%} of the size in float32", share <= SHARE)
        archive = torch.jit.load(out / RUNNABLE)
        for name, module in [("0", network[0]), ("2", network[2])]:
            weight, bias = torch.ops.quantized.linear_unpack(getattr(archive, name).packed_weight)
            scales = weight.q_per_channel_scales().float()
            codes = torch.quantize_per_channel(module.weight, scales, torch.zeros(len(scales), dtype=torch.int64), 0, torch.qint8)
            checks.that(f"Linear layers: the codes of {name} are torch.ao's for the same scales",
                        torch.equal(weight.int_repr(), codes.int_repr()) and torch.equal(bias, module.bias))
checks.end()
