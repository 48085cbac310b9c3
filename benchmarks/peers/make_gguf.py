"""Writes a float16 GGUF file of a decoder with random weights: make_gguf.py FILE GIGABYTES."""
import sys
from pathlib import Path

import gguf
import numpy as np

WIDTH, INNER, WORDS = 4096, 14336, 32000


def main(path, gigabytes):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    # All tensors share its numbers, which saves time.
    numbers = (random.standard_normal((WORDS, WIDTH), dtype=np.float32) * 0.02).astype(np.float16)
    shapes = {"token_embd": (WORDS, WIDTH), "output": (WORDS, WIDTH)}
    layer = {"attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH // 4, WIDTH), "attn_v": (WIDTH // 4, WIDTH), "attn_output": (WIDTH, WIDTH),
             "ffn_gate": (INNER, WIDTH), "ffn_up": (INNER, WIDTH), "ffn_down": (WIDTH, INNER)}
    layers = round((gigabytes * 1e9 - 4 * WORDS * WIDTH) / (2 * sum(rows * columns for rows, columns in layer.values())))
    for i in range(layers):
        shapes |= {f"blk.{i}.{name}": shape for name, shape in layer.items()}
        writer.add_tensor(f"blk.{i}.attn_norm.weight", np.ones(WIDTH, np.float32))
    for name, (rows, columns) in shapes.items():
        writer.add_tensor(f"{name}.weight", numbers.reshape(-1)[:rows * columns].reshape(rows, columns))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main(sys.argv[1], float(sys.argv[2]))
