"""Makes the small ONNX graphs that the tests read: old operators, inner graphs, what must be refused.

    python make_onnx.py FOLDER
"""
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

folder = Path(sys.argv[1])
random = np.random.default_rng(0)
ROWS = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 8])


def constant(name, *shape):
    return numpy_helper.from_array(random.standard_normal(shape).astype(np.float32), name)


def output(*shape):
    return helper.make_tensor_value_info("y", TensorProto.FLOAT, list(shape))


def save(name, opset, ir_version, graph, check=True):
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)
    if check:
        onnx.checker.check_model(model)
    onnx.save(model, folder / f"{name}.onnx")


def operators_that_changed():
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"], name="product"),
        helper.make_node("Unsqueeze", ["a"], ["u"], axes=[1]),
        helper.make_node("Split", ["u"], ["s1", "s2"], axis=2, split=[4, 4]),
        helper.make_node("Add", ["s1", "s2"], ["t"]),
        helper.make_node("Squeeze", ["t"], ["q"], axes=[1]),
        helper.make_node("Softmax", ["u"], ["sm"], axis=1),
        helper.make_node("ReduceSum", ["sm"], ["rs"], axes=[1, 2], keepdims=0),
        helper.make_node("ReduceMean", ["q"], ["rm"], axes=[1], keepdims=0),
        helper.make_node("Dropout", ["rm"], ["d"], ratio=0.3),
        helper.make_node("Add", ["d", "rs"], ["y"]),
    ]
    return helper.make_graph(nodes, "old", [ROWS], [output("batch")], [constant("w", 8, 8)])


def convolution_with_batch_norm():
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 6, 6])
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["c", "g", "b", "m", "v"], ["n"], name="norm"),
        helper.make_node("Relu", ["n"], ["r"]),
        helper.make_node("Flatten", ["r"], ["f"]),
        helper.make_node("Transpose", ["lw"], ["lwt"], perm=[1, 0]),
        helper.make_node("MatMul", ["f", "lwt"], ["y"], name="linear"),
    ]
    variance = numpy_helper.from_array(np.abs(random.standard_normal(5)).astype(np.float32) + 0.5, "v")
    weights = [constant("w", 5, 3, 3, 3), constant("g", 5), constant("b", 5), constant("m", 5), variance]
    return helper.make_graph(nodes, "conv", [image], [output("batch", 4)], weights + [constant("lw", 4, 180)])


def branch(name):
    nodes = [
        helper.make_node("Relu", ["x"], [name + "_relu"]),
        helper.make_node("MatMul", [name + "_relu", name + "_w"], [name + "_y"], name="product"),
    ]
    out = helper.make_tensor_value_info(name + "_y", TensorProto.FLOAT, ["batch", 8])
    return helper.make_graph(nodes, name, [], [out], [constant(name + "_w", 8, 8)])


def inner_graphs():
    body = helper.make_graph(
        [
            helper.make_node("Constant", [], ["lw"], value=constant("lw", 8, 8)),
            helper.make_node("MatMul", ["state", "lw"], ["p"], name="inner_product"),
            helper.make_node("Tanh", ["p"], ["next"]),
            helper.make_node("Identity", ["go"], ["go_on"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, ["batch", 8]),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, ["batch", 8]),
        ],
    )
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Greater", ["sum", "zero"], ["positive"]),
        helper.make_node("If", ["positive"], ["chosen"], name="choice", then_branch=branch("then"), else_branch=branch("else")),
        helper.make_node("Loop", ["times", "yes", "chosen"], ["y"], name="loop", body=body),
    ]
    constants = [
        numpy_helper.from_array(np.float32(0), "zero"),
        numpy_helper.from_array(np.int64(3), "times"),
        numpy_helper.from_array(np.array(True), "yes"),
    ]
    return helper.make_graph(nodes, "inner", [ROWS], [output("batch", 8)], constants)


def tied_table():
    words = helper.make_tensor_value_info("x", TensorProto.INT64, ["batch", "words"])
    nodes = [
        helper.make_node("Gather", ["table", "x"], ["e"], name="embedding"),
        helper.make_node("ReduceMean", ["e"], ["p"], axes=[1], keepdims=0),
        helper.make_node("Gemm", ["p", "table", "b"], ["y"], name="head", transB=1),
    ]
    return helper.make_graph(nodes, "tied", [words], [output("batch", 20)], [constant("table", 20, 8), constant("b", 20)])


def large_bias():
    bias = numpy_helper.from_array(np.array([1e4, 1, -1e4], np.float32), "b")
    weight = numpy_helper.from_array(np.full((8, 3), 1e-6, np.float32), "w")
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["y"], name="gemm")]
    return helper.make_graph(nodes, "bias", [ROWS], [output("batch", 3)], [weight, bias])


def product(second_input="w", first_input="x", extra=()):
    nodes = [helper.make_node("MatMul", [first_input, second_input], ["y"], name="product"), *extra]
    return helper.make_graph(nodes, "product", [ROWS], [output("batch", 8)], [constant("w", 8, 8)])


def external(location, offset=0):
    tensor = constant("w", 8, 8)
    onnx.external_data_helper.set_external_data(tensor, location, offset, 256)
    tensor.ClearField("raw_data")
    graph = product()
    del graph.initializer[:]
    graph.initializer.append(tensor)
    return graph


def shaped(rows):
    graph = product()
    graph.initializer[0].dims[0] = rows
    return graph


def not_finite():
    values = np.ones((8, 8), np.float32)
    values[1, 2] = np.nan
    graph = product()
    del graph.initializer[:]
    graph.initializer.append(numpy_helper.from_array(values, "w"))
    return graph


def recurrent():
    sequence = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["words", "batch", 8])
    nodes = [helper.make_node("GRU", ["x", "w", "r"], ["all", "y"], name="gru", hidden_size=4)]
    return helper.make_graph(nodes, "gru", [sequence], [output(1, "batch", 4)], [constant("w", 1, 12, 8), constant("r", 1, 12, 4)])


def of_type(type):
    """A product of halves, with float32 around it."""
    weight = helper.make_tensor("w", type, [8, 8], random.standard_normal(64).astype(np.float32))
    nodes = [
        helper.make_node("Cast", ["x"], ["h"], to=type),
        helper.make_node("MatMul", ["h", "w"], ["p"], name="product"),
        helper.make_node("Cast", ["p"], ["y"], to=TensorProto.FLOAT),
    ]
    return helper.make_graph(nodes, "halves", [ROWS], [output("batch", 8)], [weight])


def transposed_convolution():
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 6, 6])
    nodes = [helper.make_node("ConvTranspose", ["x", "w", "b"], ["y"], name="up", strides=[2, 2])]
    return helper.make_graph(nodes, "up", [image], [output("batch", 5, 13, 13)], [constant("w", 3, 5, 3, 3), constant("b", 5)])


def scan():
    body = helper.make_graph(
        [
            helper.make_node("Add", ["state", "word"], ["sum"]),
            helper.make_node("MatMul", ["sum", "w"], ["product_of_sum"], name="step"),
            helper.make_node("Tanh", ["product_of_sum"], ["next"]),
            helper.make_node("Identity", ["next"], ["each"]),
        ],
        "body",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [8]) for name in ["state", "word"]],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [8]) for name in ["next", "each"]],
    )
    nodes = [helper.make_node("Scan", ["start", "x"], ["last", "y"], name="scan", num_scan_inputs=1, body=body)]
    start = numpy_helper.from_array(np.zeros(8, np.float32), "start")
    return helper.make_graph(nodes, "scan", [ROWS], [output("batch", 8)], [start, constant("w", 8, 8)])


def with_function():
    twice = helper.make_function(
        "own", "Twice", ["a", "b"], ["c"],
        [helper.make_node("MatMul", ["a", "b"], ["t"], name="inside"), helper.make_node("Add", ["t", "t"], ["c"])],
        [helper.make_opsetid("", 14)],
    )
    nodes = [
        helper.make_node("Twice", ["x", "w"], ["t"], name="call", domain="own"),
        helper.make_node("MatMul", ["t", "v"], ["y"], name="product"),
    ]
    graph = helper.make_graph(nodes, "function", [ROWS], [output("batch", 8)], [constant("w", 8, 8), constant("v", 8, 8)])
    opsets = [helper.make_opsetid("", 14), helper.make_opsetid("own", 1)]
    model = helper.make_model(graph, functions=[twice], opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, folder / "function.onnx")


save("opset11", 11, 6, operators_that_changed())
save("convolution", 17, 8, convolution_with_batch_norm())
save("inner", 13, 7, inner_graphs())
save("tied", 14, 7, tied_table())
save("bias", 14, 7, large_bias())
save("recurrent", 14, 7, recurrent())
save("not_finite", 14, 7, not_finite())
save("dangling", 14, 7, product(second_input="nowhere"), check=False)
save("cyclic", 14, 7, product(first_input="z", extra=[helper.make_node("Relu", ["y"], ["z"])]), check=False)
save("outside", 14, 7, external("../weights.bin"), check=False)
save("missing", 14, 7, external("weights.bin"), check=False)
save("float16", 17, 8, of_type(TensorProto.FLOAT16))
save("bfloat16", 17, 8, of_type(TensorProto.BFLOAT16))
save("transposed", 17, 8, transposed_convolution())
save("scan", 17, 8, scan())
with_function()
save("opset23", 23, 11, product())
save("before_the_file", 14, 7, external("before_the_file.onnx", offset=-8), check=False)
save("negative_shape", 14, 7, shaped(-8), check=False)
save("huge_shape", 14, 7, shaped(2**62), check=False)
