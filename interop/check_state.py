"""The torchao artifact is, to the last bit, what torchao 0.18 makes of the same weights, and Python runs it.

Every model goes in in every format that it exists in, with every dtype.
"""
import torch

from kvant import CHECKPOINT, Checks, quantized
from subjects import DTYPES, subjects
from torchao_peer import QUANTIZED, differences, quantized_by_torchao

checks = Checks()
for subject in subjects():
    kinds = sorted({type(module).__name__ for module in subject.network.modules()} & {"Linear", "Embedding"})
    # What an archive carries and Python does not persist.
    passing = {name for name, _ in subject.network.named_buffers() if name not in subject.network.state_dict()}
    for dtype in DTYPES:
        reference = quantized_by_torchao(subject.network, dtype)
        expected = reference.state_dict()
        with torch.no_grad():
            wanted = reference(subject.inputs)
        for file in subject.files:
            what = f"{file.name} as {dtype}"
            with checks.group(what), quantized(file, [(kind, dtype) for kind in kinds]) as out:
                state = torch.load(out / CHECKPOINT, weights_only=True)
                found = {name: value for name, value in state.items() if name not in passing}
                unequal = differences(expected, found)
                count = sum(isinstance(value, QUANTIZED) for value in found.values())
                checks.that(f"{what}: {count} quantized weights and all others equal torchao's", not unequal and count > 0,
                            "; ".join(unequal))
                if subject.name == "tied" and file.suffix != ".safetensors":
                    ends = {found[name].qdata.untyped_storage().data_ptr() for name in ["embedding.weight", "head.weight"]}
                    checks.that(f"{what}: tied weights share one storage still", len(ends) == 1)
                if file.suffix == ".pth":
                    checks.that(f"{what}: entries stand in the checkpoint's order", list(found) == list(expected))
                loaded = type(subject.network)().eval()
                missing = loaded.load_state_dict(state, strict=False, assign=True)
                checks.that(f"{what}: load_state_dict finds every entry and no other",
                            not missing.missing_keys and set(missing.unexpected_keys) <= passing, str(missing))
                with torch.no_grad():
                    outputs = loaded(subject.inputs)
                checks.that(f"{what}: outputs equal those of torchao's own model", torch.equal(outputs, wanted),
                            f"they differ by {(outputs - wanted).abs().max()}")
                if subject.labels is not None:
                    with torch.no_grad():
                        before, after = subject.right(subject.network(subject.inputs)), subject.right(outputs)
                    checks.that(f"{what}: {after} of {len(subject.labels)} scans correct, {before} before",
                                after >= before - subject.allowance[dtype])
checks.end()
