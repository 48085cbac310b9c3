"""Static quantization to int8 by onnxruntime.quantization: MODEL OUT DATA.npz RECIPE METHOD.

RECIPE default is what quantize_static does unless told otherwise; best is the best one that is known for the CPU: per channel, activations
in uint8, and only the inputs of products quantized. METHOD is MinMax or Entropy. DATA is read in batches of 16.
"""
import sys

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
    def __init__(self, data):
        count = len(next(iter(data.values())))
        self.batches = iter([{name: array[i:i + BATCH] for name, array in data.items()} for i in range(0, count, BATCH)])

    def get_next(self):
        return next(self.batches, None)


model, out, data, recipe, method = sys.argv[1:]
quantize_static(model, out, Batches(dict(np.load(data))), calibrate_method=CalibrationMethod[method], **(BEST if recipe == "best" else {}))
