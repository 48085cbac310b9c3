"""Writes an ONNX graph of N products with matrices of their own: make_chain.py N FILE."""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

count, path = int(sys.argv[1]), sys.argv[2]
weights, nodes, value = [], [], "x"
for i in range(count):
    name = f"layers.{i}.weight"
    weights.append(numpy_helper.from_array(np.full((4, 4), (i % 7 + 1) / 10, np.float32), name))
    nodes.append(helper.make_node("MatMul", [value, name], [f"h{i}"], name=f"/layers.{i}/MatMul"))
    value = f"h{i}"
graph = helper.make_graph(
    nodes,
    "chain",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])],
    [helper.make_tensor_value_info(value, TensorProto.FLOAT, [None, 4])],
    weights,
)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
