"""Quantizes the MiniLM-L6 encoder with ModelOpt itself: all Linear to int8, weights and activations, by max on the same tokens.

    python benchmarks/peers/modelopt_minilm.py DATA      (the folder that make_minilm.py filled)

Prints, one line each: how close the embeddings of the 80 sentences are to those in float32, how long calibration takes over plain forward
passes on the same batches, and how long an answer takes.
"""
import contextlib
import copy
import io
import sys
import time
import warnings
from pathlib import Path
from statistics import median

import numpy as np
import torch

warnings.filterwarnings("ignore")
with contextlib.redirect_stdout(io.StringIO()):
    import modelopt.torch.quantization as mtq

import make_minilm

ROUNDS = 5


def tokens(path):
    arrays = np.load(path)
    return [torch.from_numpy(arrays[name]) for name in ("input_ids", "attention_mask")]


def quantized(network, axis, batches):
    config = {"*": {"enable": False}, "*weight_quantizer": {"num_bits": 8, "axis": axis}, "*input_quantizer": {"num_bits": 8, "axis": None},
              "*embeddings*": {"enable": False}, "*LayerNorm*": {"enable": False}}
    with contextlib.redirect_stdout(io.StringIO()):
        return mtq.quantize(copy.deepcopy(network), {"quant_cfg": config, "algorithm": "max"},
                            lambda model: [model(*batch) for batch in batches])


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def latency(network, rows, ids, mask):
    batch = ids[:rows], mask[:rows]
    network(*batch)
    return median(seconds(lambda: network(*batch)) for _ in range(20))


def main(data):
    network = make_minilm.encoder(make_minilm.packaged(data))
    ids, mask = tokens(data / "sentences.npz")
    batches = [tokens(file) for file in sorted((data / "calibration").glob("*.npz"))]
    torch.set_num_threads(2)
    with torch.no_grad():
        wanted = network(ids, mask)
        for name, axis in [("per tensor", None), ("per channel", 0)]:
            cosine = torch.nn.functional.cosine_similarity(quantized(network, axis, batches)(ids, mask), wanted)
            print(f"ModelOpt max, weights {name}: cosine mean {cosine.mean():.4f}, min {cosine.min():.4f}")
        plain, calibrated = [], []
        for _ in range(ROUNDS):
            plain.append(seconds(lambda: [network(*batch) for batch in batches]))
            calibrated.append(seconds(lambda: quantized(network, 0, batches)))
        print(f"ModelOpt calibration: {median(calibrated):.2f} s, plain passes {median(plain):.2f} s,"
              f" ratio {median(c / p for c, p in zip(calibrated, plain)):.2f}")
        simulated = quantized(network, 0, batches)
        for rows in (1, 16):
            before, after = latency(network, rows, ids, mask), latency(simulated, rows, ids, mask)
            print(f"ModelOpt, batch {rows}: {after * 1e3:.1f} ms, float32 in eager mode {before * 1e3:.1f} ms, ratio {before / after:.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else make_minilm.DEFAULT)
