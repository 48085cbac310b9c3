"""Writes the model of the tests of runners/onnx. Run: python make_onnx_runner_model.py FILE"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

weight = np.arange(6, dtype=np.float32).reshape(3, 2) / 4
table = np.arange(10, dtype=np.float32).reshape(5, 2)
graph = helper.make_graph(
    [
        helper.make_node("MatMul", ["x", "w"], ["xw"]),
        helper.make_node("Gather", ["e", "ids"], ["rows"]),
        helper.make_node("Add", ["xw", "rows"], ["y"]),
    ],
    "sum",
    [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3]),
        helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch"]),
    ],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 2])],
    [numpy_helper.from_array(weight, "w"), numpy_helper.from_array(table, "e")],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, sys.argv[1])
