"""Writes a large checkpoint in safetensors shards, shaped like a language model, row by row: needs numpy and 200 MB of memory.

The first half of the layers is float32, the second bfloat16, or all are bfloat16; shards are larger than 2 GB, so that no reader gets by with
32-bit offsets.

    python benchmarks/peers/make_sharded.py [OUT] [GIGABYTES] [bfloat16]      (default: benchmarks/data/sharded-8gb 8)
"""
import json
import struct
import sys
from pathlib import Path

import numpy as np

DEFAULT = Path(__file__).resolve().parents[1] / "data/sharded-8gb"
WIDTH, INNER, VOCABULARY = 4096, 11008, 32000
SHARD = 3 * 10**9
BLOCK = 1 << 22
BYTES = {"F32": 4, "BF16": 2}


def layer(number, dtype):
    name = f"model.layers.{number}."
    for projection in "qkvo":
        yield f"{name}self_attn.{projection}_proj.weight", dtype, (WIDTH, WIDTH)
    yield f"{name}mlp.gate_proj.weight", dtype, (INNER, WIDTH)
    yield f"{name}mlp.up_proj.weight", dtype, (INNER, WIDTH)
    yield f"{name}mlp.down_proj.weight", dtype, (WIDTH, INNER)
    yield f"{name}input_layernorm.weight", dtype, (WIDTH,)


def size(tensor):
    _, dtype, shape = tensor
    return BYTES[dtype] * int(np.prod(shape, dtype=np.int64))


def plan(total, float32):
    """Tensors of `total` bytes or a layer more, that part of them in float32 and the rest in bfloat16."""
    tensors = [("model.embed_tokens.weight", "F32" if float32 else "BF16", (VOCABULARY, WIDTH))]
    planned, number = size(tensors[0]), 0
    while planned < total:
        added = list(layer(number, "F32" if planned < total * float32 else "BF16"))
        tensors += added
        planned += sum(map(size, added))
        number += 1
    return tensors


def shards(tensors):
    current, filled = [], 0
    for tensor in tensors:
        if current and filled + size(tensor) > SHARD:
            yield current
            current, filled = [], 0
        current.append(tensor)
        filled += size(tensor)
    yield current


def content(count, dtype, random):
    for start in range(0, count, BLOCK):
        values = random.standard_normal(min(BLOCK, count - start), np.float32)
        values *= np.float32(0.02)
        # bfloat16 is the upper half of a float32; which way it is rounded matters to nobody here.
        yield values if dtype == "F32" else np.ascontiguousarray(values.view(np.uint16)[1::2])


def write(tensors, path, random):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for tensor in tensors:
        name, dtype, shape = tensor
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + size(tensor)]}
        offset += size(tensor)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, dtype, shape in tensors:
            for block in content(int(np.prod(shape, dtype=np.int64)), dtype, random):
                file.write(block.data)


def main(out, gigabytes, float32):
    out.mkdir(parents=True, exist_ok=True)
    random = np.random.Generator(np.random.SFC64(0))
    tensors = plan(gigabytes * 10**9, float32)
    groups = list(shards(tensors))
    weight_map = {}
    for number, group in enumerate(groups, 1):
        name = f"model-{number:05}-of-{len(groups):05}.safetensors"
        write(group, out / name, random)
        weight_map |= {tensor[0]: name for tensor in group}
        print(f"{out / name}  {len(group)} tensors  {(out / name).stat().st_size / 1e9:.2f} GB", flush=True)
    index = {"metadata": {"total_size": sum(map(size, tensors))}, "weight_map": weight_map}
    (out / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(Path(arguments[0]) if arguments else DEFAULT, float(arguments[1]) if len(arguments) > 1 else 8,
         0 if "bfloat16" in arguments[2:] else 0.5)
