"""What Kvant writes is laid out as PyTorch lays it out: stored records at multiples of 64, loadable mapped or read."""
import json
import zipfile

import torch

from kvant import CHECKPOINT, RUNNABLE, Checks, quantized
from subjects import subjects
from torchao_peer import differences

ALIGNMENT = 64


def misplaced(path):
    """Tensor records that are compressed or do not begin at a multiple of 64."""
    found = []
    with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
        for record in archive.infolist():
            file.seek(record.header_offset + 26)
            name, extra = int.from_bytes(file.read(2), "little"), int.from_bytes(file.read(2), "little")
            begin = record.header_offset + 30 + name + extra
            if "/data/" in record.filename and (record.compress_type != zipfile.ZIP_STORED or begin % ALIGNMENT):
                found.append(record.filename)
    return found


checks = Checks()
for subject in subjects():
    for file in subject.files:
        what = file.name
        with checks.group(what), quantized(file, [("*", "int8")]) as out:
            checkpoint, runnable = out / CHECKPOINT, out / RUNNABLE
            written = sorted(path.name for path in out.iterdir())
            checks.that(f"{what}: a runnable archive comes of an archive alone", runnable.exists() == (file in subject.archives), str(written))
            checks.that(f"{what}: no temporary file is left", not [name for name in written if "tmp" in name or name.startswith(".")],
                        str(written))
            state = torch.load(checkpoint, weights_only=True)
            mapped = torch.load(checkpoint, weights_only=True, mmap=True)
            checks.that(f"{what}: mapped and read, the checkpoint is the same", list(state) == list(mapped) and not differences(state, mapped))
            for path in [checkpoint, *([runnable] if runnable.exists() else [])]:
                with zipfile.ZipFile(path) as archive:
                    checks.that(f"{what}: {path.name} is sound", archive.testzip() is None)
                    names = [name.split("/", 1) for name in archive.namelist()]
                    checks.that(f"{what}: {path.name} has one root and no name twice",
                                len({root for root, _ in names}) == 1 and len({rest for _, rest in names}) == len(names))
                    plan = [archive.read(name) for name in archive.namelist() if name.endswith("/extra/kvant.json")]
                    checks.that(f"{what}: {path.name} carries its plan", len(plan) == 1 and isinstance(json.loads(plan[0]), dict))
                checks.that(f"{what}: tensors of {path.name} are stored and aligned", not misplaced(path), str(misplaced(path)[:3]))
            if runnable.exists():
                extra = {"kvant.json": ""}
                torch.jit.load(runnable, _extra_files=extra)
                checks.that(f"{what}: torch.jit.load hands out the plan", bool(json.loads(extra["kvant.json"])))
checks.end()
