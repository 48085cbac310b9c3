"""Writes the model files that a reader must refuse, or read without executing anything.

    python interop/models/make_unreadable.py OUT
"""
import io
import json
import os
import pickle
import struct
import sys
import zipfile
from pathlib import Path

import torch
import torch.nn as nn

import neutral
from networks import Tied, build

MARK = "hostile-was-here"


class Runs:
    """Unpickled by a library that executes what it reads, it leaves a file behind."""

    def __reduce__(self):
        return os.system, ("touch " + MARK,)


def records(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(entries, path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content)


def patched(source, path, change):
    """The archive with `change(name without the root folder, content)` applied to each record; None drops it."""
    entries = {}
    for name, content in records(source).items():
        content = change(name.split("/", 1)[1], content)
        if content is not None:
            entries[name] = content
    rewrite(entries, path)


def replaced(content, old, new):
    assert content.count(old) == 1, f"{content.count(old)} occurrences of {old!r}"
    return content.replace(old, new)


def archives(out):
    network = build(Tied)
    with torch.no_grad():
        torch.jit.freeze(torch.jit.script(network)).save(out / "frozen.pt")
    torch.manual_seed(11)
    linear = nn.Sequential(nn.Linear(3, 2))
    legacy = out / "legacy_truncated.pth"
    torch.save(linear.state_dict(), legacy, _use_new_zipfile_serialization=False)
    legacy.write_bytes(legacy.read_bytes()[:-4])
    neutral.neutralize(out / "frozen.pt")
    # An object pickled alone, as some people save whole models.
    torch.save(linear, out / "whole_module.pth")
    torch.save(torch.ones(3), out / "single_tensor.pth")
    torch.save({"epoch": 3, "optimizer": {"lr": 0.1}}, out / "no_tensors.pth")


def damaged(out):
    torch.manual_seed(12)
    torch.save({"weight": torch.randn(2, 3)}, out / "_tiny.pth")
    tiny = out / "_tiny.pth"
    patched(tiny, out / "big_endian.pth", lambda name, content: b"big" if name == "byteorder" else content)

    # (2, 3) becomes (2, 200); (3, 1) becomes (200, 1); offset 0 becomes 5: each reaches outside six elements.
    size, stride = b"K\x02K\x03\x86", b"K\x03K\x01\x86"
    for name, old, new in [("outside", size, b"K\x02K\xc8\x86"), ("outside_stride", stride, b"K\xc8K\x01\x86"),
                           ("outside_offset", b"QK\x00K\x02K\x03", b"QK\x05K\x02K\x03"),
                           ("negative_size", size, b"K\x02J\xff\xff\xff\xff\x86"),
                           ("overflowing_size", size, b"\x8a\x08" + b"\xff" * 7 + b"\x7f" + b"K\x03\x86")]:
        patched(tiny, out / f"{name}.pth", lambda record, content: replaced(content, old, new) if record == "data.pkl" else content)
    patched(tiny, out / "short_record.pth", lambda name, content: content[:10] if name == "data/0" else content)
    patched(tiny, out / "missing_record.pth", lambda name, content: None if name == "data/0" else content)
    patched(tiny, out / "cut_pickle.pth", lambda name, content: content[: len(content) // 2] if name == "data.pkl" else content)
    tiny.unlink()

    whole = (out / "ordered.pth").read_bytes()
    (out / "truncated.pth").write_bytes(whole[: len(whole) // 2])
    script = (out / "tied.pt").read_bytes()
    (out / "truncated.pt").write_bytes(script[: len(script) * 2 // 3])
    (out / "empty.pt").write_bytes(b"")
    (out / "text.pt").write_text("This is no model but a note that someone gave the wrong name.\n")
    rewrite({"notes/readme.txt": b"nothing to see", "notes/data.csv": b"1,2\n"}, out / "zip_of_other_things.pt")
    lying_size(whole, out / "lying_size.pth", 0x7FFFFFF0)
    lying_size(whole, out / "lying_size_small.pth", 4)


def lying_size(whole, path, claimed):
    """The central directory says another size for the first tensor's record than its bytes have."""
    data = bytearray(whole)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        victim = next(name for name in archive.namelist() if name.endswith("/data/0")).encode()
    at = data.rindex(victim) - 46
    assert data[at:at + 4] == b"PK\x01\x02"
    struct.pack_into("<II", data, at + 20, claimed, claimed)
    path.write_bytes(bytes(data))


def hostile(out):
    torch.save({"weight": torch.ones(2, 2), "payload": Runs()}, out / "hostile_entry.pth")
    torch.save(Runs(), out / "hostile.pth")
    (out / "hostile_bare.pth").write_bytes(pickle.dumps(Runs(), protocol=2))


def safetensors_file(header, payload, path, claimed=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if claimed is None else claimed) + text + payload)


def bad_safetensors(out):
    def entry(begin, end, shape=(2, 2), dtype="F32"):
        return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}

    payload = bytes(range(32))
    good = {"a": entry(0, 16), "b": entry(16, 32)}
    safetensors_file(good, payload, out / "header_longer_than_file.safetensors", claimed=1 << 20)
    safetensors_file(good, payload, out / "header_absurd_length.safetensors", claimed=1 << 62)
    safetensors_file({"a": entry(0, 16), "b": entry(8, 24)}, payload[:24], out / "overlapping.safetensors")
    safetensors_file({"a": entry(0, 16), "b": entry(16, 48)}, payload, out / "outside.safetensors")
    safetensors_file({"a": entry(0, 16, (2, 3)), "b": entry(16, 32)}, payload, out / "wrong_shape.safetensors")
    safetensors_file({"a": entry(16, 0)}, payload[:16], out / "backwards.safetensors")
    safetensors_file({"a": entry(0, 16, dtype="F99")}, payload[:16], out / "unknown_dtype.safetensors")
    safetensors_file({"a": entry(0, 12), "b": entry(16, 32)}, payload, out / "hole.safetensors")
    safetensors_file(b'{"a": nothing of the kind}', payload, out / "header_not_json.safetensors")
    folder = out / "sharded_missing"
    folder.mkdir(exist_ok=True)
    index = {"metadata": {}, "weight_map": {"a": "model-00001-of-00002.safetensors", "c": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index) + "\n")
    safetensors_file({"a": entry(0, 16)}, payload[:16], folder / "model-00001-of-00002.safetensors")


def main(out):
    archives(out)
    damaged(out)
    hostile(out)
    bad_safetensors(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
