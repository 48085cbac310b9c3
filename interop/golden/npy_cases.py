"""Writes small arrays in NumPy's format, for the tests of the runtime module that read them.

    python interop/golden/npy_cases.py runtime/src/test/resources/npy
"""

import sys
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)

# Readable: six values, two rows of three; 200 distinguishes signed bytes from unsigned ones.
VALUES = np.array([[0, 1, 2], [3, 100, 200]])
for dtype in ("float16", "float32", "float64", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
    np.save(folder / f"{dtype}.npy", VALUES.astype(dtype))
np.save(folder / "int8.npy", (VALUES - 100).astype("int8"))
np.save(folder / "bool.npy", VALUES > 1)
np.save(folder / "fortran.npy", np.asfortranarray(np.arange(24, dtype="float32").reshape(2, 3, 4)))
np.save(folder / "vector.npy", np.arange(5, dtype="int64"))
np.save(folder / "no_rows.npy", np.zeros((0, 3), dtype="float32"))
for version in ((2, 0), (3, 0)):
    with open(folder / f"version{version[0]}.npy", "wb") as out:
        npy.write_array(out, VALUES.astype("float32"), version=version)

# Refused
np.save(folder / "scalar.npy", np.float32(1))
np.save(folder / "big_endian.npy", VALUES.astype(">f4"))
np.save(folder / "objects.npy", np.array([{"a": 1}, None], dtype=object), allow_pickle=True)
np.save(folder / "complex.npy", VALUES.astype("complex64"))
np.save(folder / "text.npy", np.array(["a", "b"]))
np.save(folder / "records.npy", np.array([(1, 2.0)], dtype=[("x", "<i4"), ("y", "<f4")]))
whole = (folder / "float32.npy").read_bytes()
(folder / "cut.npy").write_bytes(whole[:-5])
(folder / "cut_header.npy").write_bytes(whole[:40])
(folder / "version9.npy").write_bytes(whole[:6] + b"\x09" + whole[7:])
(folder / "no_header.npy").write_bytes(whole[:10] + b" " * 118)

# Archives
np.savez(folder / "pairs.npz", input=np.arange(10, dtype="float32").reshape(5, 2), label=np.arange(5))
np.savez(folder / "triples.npz", input=np.arange(12, dtype="float32").reshape(4, 3), label=np.arange(4))
np.savez_compressed(folder / "compressed.npz", input=np.arange(10, dtype="float32").reshape(5, 2), label=np.arange(5))
np.savez(folder / "uneven.npz", a=np.zeros((5, 2)), b=np.zeros((4, 2)))
np.savez(folder / "empty.npz")
np.savez(folder / "only_label.npz", label=np.arange(5))
(folder / "cut.npz").write_bytes((folder / "pairs.npz").read_bytes()[:200])
(folder / "neither.npz").write_bytes(b"text, not an archive")
