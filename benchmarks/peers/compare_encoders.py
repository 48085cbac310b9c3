"""How close quantized encoders are to the original and how fast: ORIGINAL TEST.npz ROUNDS NAME=MODEL ... in ONNX Runtime.

Each round runs all of them with batches of 16 texts; the speed is the median of the rounds' ratios.
"""
import os
import statistics
import sys
import time

import numpy as np
import onnxruntime

BATCH = 16


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def embeddings(model, data):
    hidden = model.run(None, data)[0]
    mask = data["attention_mask"][..., None]
    mean = (hidden * mask).sum(1) / mask.sum(1)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def seconds(model, data):
    begin = time.perf_counter()
    model.run(None, data)
    return time.perf_counter() - begin


original, test, rounds, *named = sys.argv[1:]
data = dict(np.load(test))
batches = [{name: array[i:i + BATCH] for name, array in data.items()} for i in range(0, len(data["input_ids"]), BATCH)]
paths = {"float32": original, **dict(each.split("=", 1) for each in named)}
models = {name: session(path) for name, path in paths.items()}
expected = np.concatenate([embeddings(models["float32"], batch) for batch in batches])
times = {name: [] for name in models}
for i in range(int(rounds) + 2):
    for name, model in models.items():
        took = seconds(model, batches[i % len(batches)])
        if i >= 2:  # the first rounds warm up
            times[name].append(took)

print(f"ONNX Runtime {onnxruntime.__version__}, {os.cpu_count()} threads, {len(expected)} texts, {rounds} rounds")
print(f"{'model':<16}{'cosine mean':>12}{'minimum':>10}{'speed':>8}{'ms':>8}{'MB':>8}")
for name, model in models.items():
    cosines = (expected * np.concatenate([embeddings(model, batch) for batch in batches])).sum(1)
    speed = statistics.median(a / b for a, b in zip(times["float32"], times[name]))
    print(f"{name:<16}{cosines.mean():>12.4f}{cosines.min():>10.4f}{speed:>8.2f}{statistics.median(times[name]) * 1e3:>8.1f}"
          f"{os.path.getsize(paths[name]) / 1e6:>8.1f}")
