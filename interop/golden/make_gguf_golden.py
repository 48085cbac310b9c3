"""Writes what gguf 0.19 and llama.cpp's ggml quantize the same values to, for the tests of backend-gguf.

    make_gguf_golden.py LIBGGML      the library that holds ggml-quants.c, as llama_cpp/lib/libggml-base.so of llama-cpp-python 0.3.36

values.f32 holds the values, little-endian; each other file is named for a type and holds its blocks. gguf quantizes the types with blocks of 32 only;
ggml quantizes all of them, and must agree with gguf. Compiled for x86-64 without FMA, as llama.cpp does by default.
"""
import ctypes
import sys
from pathlib import Path

import gguf
import numpy as np

OUT = Path(__file__).resolve().parents[2] / "backend-gguf/src/test/resources/blocks"
OF_32 = ["q8_0", "q4_0", "q4_1", "q5_0", "q5_1"]
OF_256 = ["q4_K", "q6_K"]
BLOCK = 256


def values():
    random = np.random.default_rng(17)
    normal = random.standard_normal((8, BLOCK)).astype(np.float32)
    rows = [normal[:4] * np.float32(0.05)]
    outliers = normal[4:5].copy()
    outliers[0, ::37] *= 30
    rows.append(outliers)
    rows.append(np.zeros((1, BLOCK), np.float32))
    rows.append(np.full((1, BLOCK), 0.75, np.float32))
    rows.append(np.full((1, BLOCK), -3, np.float32))
    rows.append(np.abs(normal[5:6]) + 2)
    rows.append(-np.abs(normal[6:7]))
    # A ramp has values half-way between codes.
    rows.append(np.linspace(-1, 1, BLOCK, dtype=np.float32)[None])
    rows.append((np.arange(BLOCK, dtype=np.float32) % 16 - 8)[None] / 8)
    rows.append(normal[7:8] * np.float32(1e-6))
    rows.append(normal[7:8] * np.float32(2e4))
    half = normal[2:3].astype(np.float16).astype(np.float32)
    half[0, 32:64] = 0
    half[0, 64] = 1
    rows.append(half)
    alternating = np.where(np.arange(BLOCK) % 2 == 0, 1, -1).astype(np.float32)[None]
    rows.append(alternating)
    return np.concatenate(rows)


def of_ggml(library, name, data):
    block, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name.upper()]]
    blocks = np.zeros(data.size // block * size, np.uint8)
    quantize = getattr(library, f"quantize_row_{name}_ref")
    quantize(data.ctypes.data_as(ctypes.c_void_p), blocks.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(data.size))
    return blocks.tobytes()


def main(path):
    # Resolved when they are called: a library of ggml-quants.c alone will do.
    library = ctypes.CDLL(path, mode=1)
    data = values()
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "values.f32").write_bytes(data.astype("<f4").tobytes())
    for name in OF_32 + OF_256:
        blocks = of_ggml(library, name, data)
        if name in OF_32:
            own = gguf.quants.quantize(data, gguf.GGMLQuantizationType[name.upper()]).tobytes()
            if own != blocks:
                raise SystemExit(f"gguf and ggml disagree on {name}")
        (OUT / f"{name.lower()}.bin").write_bytes(blocks)
        restored = gguf.quants.dequantize(np.frombuffer(blocks, np.uint8).reshape(len(data), -1), gguf.GGMLQuantizationType[name.upper()])
        (OUT / f"{name.lower()}.f32").write_bytes(restored.astype("<f4").tobytes())


main(sys.argv[1])
