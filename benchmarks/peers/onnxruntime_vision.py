"""Quantizes a model by onnxruntime.quantization as its documentation says for the CPU: MODEL OUT DATA RECIPE.

RECIPE static: QDQ, all operators, a scale for each channel, activations in uint8, weights in int8, after quant_pre_process; samples one by one.
dynamic: quantize_dynamic, a scale for each channel.
"""
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process


class Samples(CalibrationDataReader):
    def __init__(self, path):
        data = dict(np.load(path))
        self.samples = iter([{name: array[i:i + 1] for name, array in data.items()} for i in range(len(next(iter(data.values()))))])

    def get_next(self):
        return next(self.samples, None)


model, out, data, recipe = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    prepared = str(Path(folder) / "prepared.onnx")
    try:
        quant_pre_process(model, prepared)
    except Exception:  # its inference of symbolic shapes knows fewer operators than ONNX
        quant_pre_process(model, prepared, skip_symbolic_shape=True)
    if onnx.load(prepared, load_external_data=False).opset_import[0].version < 13:
        onnx.save(onnx.version_converter.convert_version(onnx.load(prepared), 13), prepared)  # scales per channel
    if recipe == "dynamic":
        quantize_dynamic(prepared, out, per_channel=True, weight_type=QuantType.QInt8)
    else:
        quantize_static(prepared, out, Samples(data), quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QUInt8,
                        weight_type=QuantType.QInt8)
