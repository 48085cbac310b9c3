"""Static quantization to int8 by onnxruntime.quantization: MODEL OUT DATA RECIPE METHOD.

RECIPE default is what quantize_static does unless told otherwise; best is the best one that is known for the CPU: per channel, activations
in uint8, and only the inputs of products quantized. METHOD is MinMax or Entropy. DATA is read in batches of 16, or it is a folder with a
file for each batch.
"""
import sys
from pathlib import Path

import numpy as np
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType, quantize_static

PRODUCTS = ["MatMul", "Gemm"]
BATCH = 16
BEST = {
    "op_types_to_quantize": PRODUCTS,
    "per_channel": True,
    "activation_type": QuantType.QUInt8,
    "weight_type": QuantType.QInt8,
    "extra_options": {"OpTypesToExcludeOutputQuantization": PRODUCTS, "WeightSymmetric": True},
}


class Batches(CalibrationDataReader):
    def __init__(self, path):
        self.batches = self.read(Path(path))

    @staticmethod
    def read(path):
        if path.is_dir():
            yield from (dict(np.load(file)) for file in sorted(path.iterdir()))
            return
        data = dict(np.load(path))
        for i in range(0, len(next(iter(data.values()))), BATCH):
            yield {name: array[i:i + BATCH] for name, array in data.items()}

    def get_next(self):
        return next(self.batches, None)


model, out, data, recipe, method = sys.argv[1:]
quantize_static(model, out, Batches(data), calibrate_method=CalibrationMethod[method], **(BEST if recipe == "best" else {}))
