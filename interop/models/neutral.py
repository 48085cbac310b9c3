"""Removes the folders of the machine that saved an archive from it, and changes nothing else.

TorchScript keeps where each line of code came from in its `.debug_pkl` records, torch.export in its graph. The folders give way to
slashes of the same length, so that what counts characters there stays right.

    python interop/models/neutral.py FILE...
"""
import io
import re
import sys
import zipfile
from pathlib import Path

# The folders above torch/nn/..., networks.py or another script of ours.
FOLDERS = re.compile(rb"/[\w./-]*/(?=torch/|[\w-]+\.py)")
ALIGNMENT = 64


class Stream(io.RawIOBase):
    """A target without a way back, which makes zipfile put sizes behind the records, as PyTorch does."""

    def __init__(self, target):
        self.target = target

    def writable(self):
        return True

    def write(self, data):
        return self.target.write(data)

    def flush(self):
        self.target.flush()


def slashes(match):
    return b"." + b"/" * (len(match.group()) - 1)


def neutralize(path):
    path = Path(path)
    with zipfile.ZipFile(path) as source:
        records = [(info, source.read(info)) for info in source.infolist()]
    target = io.BytesIO()
    with zipfile.ZipFile(Stream(target), "w") as archive:
        for info, content in records:
            if "/data/" not in info.filename:
                content = FOLDERS.sub(slashes, content)
            fresh = zipfile.ZipInfo(info.filename, info.date_time)
            fresh.compress_type = info.compress_type
            # PyTorch's own filler: field "FB", its length, and as much as puts the record at a multiple of 64.
            filler = -(target.tell() + 30 + len(info.filename.encode()) + 4) % ALIGNMENT
            fresh.extra = b"FB" + filler.to_bytes(2, "little") + b"Z" * filler
            archive.writestr(fresh, content)
    path.write_bytes(target.getvalue())


if __name__ == "__main__":
    for name in sys.argv[1:]:
        neutralize(name)
