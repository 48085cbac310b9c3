"""How close quantized models are to the original and how fast: ORIGINAL TEST.npz ROUNDS THREADS NAME=MODEL ... in ONNX Runtime.

Samples run one by one. SQNR is the power of the float32 outputs over that of the differences, over all samples and elements; the cosine is the
mean over samples; top is how often the largest element of the last axis, or of the class axis of a detector, stays where it is. In each round
all models take turns with one sample; the speed is the median of the rounds' ratios.
"""
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime


def session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def seconds(model, data):
    begin = time.perf_counter(), time.process_time()
    model.run(None, data)
    return time.perf_counter() - begin[0], time.process_time() - begin[1]


def top(values):
    """The largest element of the last axis; of the scores, for each place of a map of boxes with YOLO's coordinates first."""
    if values.ndim == 3 and values.shape[1] < 100 < values.shape[2]:
        return values[:, 4:].argmax(1)
    if values.ndim == 4:
        return values > 0.3
    return values.argmax(-1)


def quality(expected, actual):
    signal = sum(float((each.astype(np.float64) ** 2).sum()) for each in expected)
    noise = sum(float(((each.astype(np.float64) - other) ** 2).sum()) for each, other in zip(expected, actual))
    cosines = [float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))
               for a, b in ((x.astype(np.float64).ravel(), y.astype(np.float64).ravel()) for x, y in zip(expected, actual))]
    same = np.mean([np.mean(top(a) == top(b)) for a, b in zip(expected, actual)])
    return 10 * np.log10(signal / noise) if noise else float("inf"), statistics.mean(cosines), min(cosines), same


def main(original, test, rounds, threads, *named):
    data = dict(np.load(test))
    samples = [{name: array[i:i + 1] for name, array in data.items()} for i in range(len(next(iter(data.values()))))]
    paths = {"float32": original, **dict(each.split("=", 1) for each in named)}
    models = {}
    for name, path in paths.items():
        try:
            models[name] = session(path, int(threads))
            models[name].run(None, samples[0])
        except Exception as problem:
            models.pop(name, None)
            print(f"{name}: {str(problem).splitlines()[0][:150]}")
    expected = [models["float32"].run(None, sample)[0] for sample in samples]
    times = {name: [] for name in models}
    for i in range(int(rounds) + 2):
        for name, model in models.items():
            took = seconds(model, samples[i % len(samples)])
            if i >= 2:  # the first rounds warm up
                times[name].append(took)
    print(f"{Path(original).stem}: ONNX Runtime {onnxruntime.__version__}, {threads} threads, {len(samples)} samples, {rounds} rounds")
    print(f"{'model':<16}{'SQNR':>7}{'cosine':>9}{'minimum':>9}{'top':>7}{'speed':>7}{'of CPU':>7}{'ms':>8}{'MB':>7}")
    for name, model in models.items():
        decibels, cosine, minimum, same = quality(expected, [model.run(None, sample)[0] for sample in samples])
        wall = statistics.median(a[0] / b[0] for a, b in zip(times["float32"], times[name]))
        cpu = statistics.median(a[1] / b[1] for a, b in zip(times["float32"], times[name]))
        print(f"{name:<16}{decibels:>7.1f}{cosine:>9.4f}{minimum:>9.4f}{same:>7.3f}{wall:>7.2f}{cpu:>7.2f}"
              f"{statistics.median(each[0] for each in times[name]) * 1e3:>8.1f}{Path(paths[name]).stat().st_size / 1e6:>7.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
