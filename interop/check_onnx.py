"""quantized_model.onnx is valid by ONNX's checker, runs in ONNX Runtime for Python, and has the scales that its quantizer computes."""
import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from kvant import DIGITS, Checks, kvant

ARTIFACT = "quantized_model.onnx"
PRODUCTS = ["Conv", "Gemm", "MatMul"]
# The runtimes for Java and for Python are of different versions, whose kernels differ in the last bits of what they compute.
CLOSE = 1e-6

checks = Checks()
scans = np.load(DIGITS / "data/calibration.npz")["input"]
test = np.load(DIGITS / "data/test.npz")


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def correct(path):
    return int((session(path).run(None, {"input": test["input"]})[0].argmax(1) == test["label"]).sum())


def quantize(model, out, mode, dtype, **settings):
    operands = {"weights": {"dtype": dtype}}
    if mode == "static_ptq":
        operands["activations"] = {"dtype": dtype}
        settings["calibration"] = {"path": str(DIGITS / "data/calibration.npz"), "batch_size": 32}
    layers = [{"module_name": name, **operands} for name in ["Conv2d", "Linear"]]
    document = {"quantize": {"backend": "onnx", "mode": mode, "strict": False, "layers": layers, **settings}}
    spec = out.with_suffix(".json")
    spec.write_text(json.dumps(document))
    return kvant("quantize", "-c", spec, "--model", model, "--out", out)


class Scans(CalibrationDataReader):
    def __init__(self):
        self.batches = iter([{"input": scans[i:i + 32]} for i in range(0, len(scans), 32)])

    def get_next(self):
        return next(self.batches, None)


def by_onnxruntime(model, out, target, reduced=False):
    graph = onnx.load(model).graph
    constants = {initializer.name for initializer in graph.initializer}
    nodes = [node.name for node in graph.node if node.op_type in PRODUCTS and constants & set(node.input)]
    quantize_static(
        str(model), str(out), Scans(), quant_format=QuantFormat.QDQ, op_types_to_quantize=PRODUCTS, nodes_to_quantize=nodes,
        per_channel=True, weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax,
        reduce_range=reduced, activation_type=QuantType.QUInt8 if target == "cpu" else QuantType.QInt8,
        extra_options={"OpTypesToExcludeOutputQuantization": PRODUCTS, "WeightSymmetric": True,
                       "ActivationSymmetric": target != "cpu", "QuantizeBias": target == "cpu"})
    return out


def blocks(path):
    """Codes, scales and zero points of each MatMulNBits, by its number."""
    graph = onnx.load(path).graph
    values = {initializer.name: numpy_helper.to_array(initializer) for initializer in graph.initializer}
    products = [node for node in graph.node if node.op_type == "MatMulNBits"]
    return [[values[name].ravel() for name in node.input[1:4] if name] for node in products]


def blocks_by_onnxruntime(model, out, bits, symmetric, block_size):
    quantizer = MatMulNBitsQuantizer(onnx.load(model), bits=bits, block_size=block_size, is_symmetric=symmetric, accuracy_level=4)
    quantizer.process()
    quantizer.model.save_model_to_file(str(out))
    return blocks(out)


def parameters(path):
    """Scale, zero point and codes of each quantized input of each product."""
    graph = onnx.load(path).graph
    values = {initializer.name: numpy_helper.to_array(initializer) for initializer in graph.initializer}
    producers = {output: node for node in graph.node for output in node.output}
    found = {}
    for node in graph.node:
        for index, name in enumerate(node.input):
            producer = producers.get(name)
            if node.op_type in PRODUCTS and producer is not None and producer.op_type == "DequantizeLinear":
                found[node.name, index] = [values.get(each) for each in producer.input[1:] + producer.input[:1]]
    return found


def columns(model, node, array):
    """The weights of a product as its kernel adds them: a row for each output channel."""
    attributes = {attribute.name: attribute.i for attribute in node.attribute}
    if node.op_type == "Conv":
        return np.moveaxis(array, 1, -1).reshape(len(array), -1)
    return array if attributes.get("transB") else array.T


def check_pairs(what, model, all_codes, automatic):
    """The scales of reduce_range: auto are those of all codes, but for channels with a pair that could overflow."""
    graph = onnx.load(model).graph
    weights = {initializer.name: numpy_helper.to_array(initializer) for initializer in graph.initializer}
    nodes = {node.name: node for node in graph.node}
    raised = kept = 0
    for key in (key for key in all_codes.keys() & automatic.keys() if key[1] == 1):
        node = nodes[key[0]]
        values = columns(model, node, weights[node.input[1]])
        scales, full, least = [], columns(model, node, all_codes[key][2]), np.ravel(all_codes[key][0])
        for channel in range(len(values)):
            scale = least[channel]
            even = len(values[channel]) // 2 * 2
            for pair, codes in zip(values[channel][:even].reshape(-1, 2), full[channel][:even].reshape(-1, 2).astype(int)):
                if abs(codes.sum()) > 128:
                    large, small = sorted(np.abs(pair.astype(np.float64)), reverse=True)
                    scale = max(scale, np.float32((1 + 2.0 ** -20) * min((large + small) / 128, small / (1.5 if pair[0] > 0 else 0.5))))
            scales.append(scale)
        scales = np.array(scales, np.float32)
        codes = columns(model, node, automatic[key][2])
        raised += (scales > least).sum()
        kept += (scales == least).sum()
        even = codes.shape[1] // 2 * 2
        sums = np.abs(codes[:, :even].astype(int).reshape(len(codes), -1, 2).sum(2))
        checks.that(f"{what}: {key[0]}: scales for pairs", np.array_equal(scales, np.ravel(automatic[key][0])))
        checks.that(f"{what}: {key[0]}: codes", np.array_equal(codes, np.clip(np.rint(values / scales[:, None]), -128, 127)))
        checks.that(f"{what}: {key[0]}: no pair overflows", sums.max() <= 128, str(sums.max()))
    checks.that(f"{what}: {raised} scales are raised for pairs, {kept} are not", raised > 0 and kept > 0)


with tempfile.TemporaryDirectory(prefix="kvant-interop-") as folder:
    folder = Path(folder)
    for name in ["resnet", "transformer"]:
        model = DIGITS / f"models/{name}.onnx"
        before = correct(model)
        for mode in ["static_ptq", "weight_only_ptq"]:
            for dtype in ["int8", "fp8_e4m3fn", "fp8_e5m2"]:
                what = f"{name}, {mode}, {dtype}"
                out = folder / f"{name}-{mode}-{dtype}"
                run = quantize(model, out, mode, dtype)
                checks.that(f"{what}: is quantized", run.code == 0, run.said)
                if run.code == 0:
                    onnx.checker.check_model(str(out / ARTIFACT), full_check=True)
                    after = correct(out / ARTIFACT)
                    # e5m2 has two bits of fraction.
                    allowed = 12 if dtype == "fp8_e5m2" else 2
                    checks.that(f"{what}: {after} of 600 correct, {before} before", after >= before - allowed)
                    plan = json.loads({entry.key: entry.value for entry in onnx.load(out / ARTIFACT).metadata_props}["kvant.record"])
                    decided = {module["weights"]["dtype"] for module in plan["modules"]}
                    checks.that(f"{what}: the plan is in the graph's metadata", plan["mode"] == mode and dtype in decided, str(decided))
        for bits in [8, 4]:
            what = f"{name}, blocks of {bits} bits"
            out = folder / f"{name}-nbits-{bits}"
            run = quantize(model, out, "weight_only_ptq", "int8", backend_kwargs={"kernel": "nbits", "bits": bits})
            checks.that(f"{what}: is quantized", run.code == 0, run.said)
            if run.code == 0:
                onnx.checker.check_model(str(out / ARTIFACT))
                after = correct(out / ARTIFACT)
                checks.that(f"{what}: {after} of 600 correct, {before} before", after >= before - (2 if bits == 8 else 12))
        for target in ["cpu", "tensorrt"]:
            what = f"{name} for {target}"
            out = folder / f"{name}-{target}"
            options = {"target": target, "reduce_range": False, **({"optimize": "accuracy"} if target == "cpu" else {})}
            run = quantize(model, out, "static_ptq", "int8", algorithm="minmax", backend_kwargs=options)
            checks.that(f"{what}: is quantized", run.code == 0, run.said)
            ours = parameters(out / ARTIFACT)
            theirs = parameters(by_onnxruntime(model, folder / f"{name}-{target}.onnx", target))
            checks.that(f"{what}: the same {len(ours)} inputs are quantized", ours.keys() == theirs.keys(), str(ours.keys() ^ theirs.keys()))
            exact = close = 0
            for key in ours.keys() & theirs.keys():
                for mine, other in zip(ours[key], theirs[key]):
                    if mine is None and other is None:
                        continue
                    same = np.array_equal(np.ravel(mine), np.ravel(other))
                    exact += same
                    close += not same and mine.dtype == np.float32 and np.allclose(mine, other, rtol=CLOSE, atol=0)
                    checks.that(f"{what}: {key}", same or (name == "transformer" and mine.dtype == np.float32
                                                           and np.allclose(mine, other, rtol=CLOSE, atol=0)))
            checks.that(f"{what}: {exact} arrays are equal to the last bit, {close} within it", exact > close)
        settings = {"algorithm": "minmax", "backend_kwargs": {"reduce_range": "auto", "optimize": "accuracy"}}
        run = quantize(model, folder / f"{name}-auto", "static_ptq", "int8", **settings)
        checks.that(f"{name}, reduce_range: auto: is quantized", run.code == 0, run.said)
        check_pairs(f"{name}, reduce_range: auto", model, parameters(folder / f"{name}-cpu" / ARTIFACT),
                    parameters(folder / f"{name}-auto" / ARTIFACT))
        settings["backend_kwargs"] = {"reduce_range": True, "optimize": "accuracy"}
        run = quantize(model, folder / f"{name}-reduced", "static_ptq", "int8", **settings)
        checks.that(f"{name}, reduce_range: true: is quantized", run.code == 0, run.said)
        ours = parameters(folder / f"{name}-reduced" / ARTIFACT)
        theirs = parameters(by_onnxruntime(model, folder / f"{name}-reduced.onnx", "cpu", True))
        for key in (key for key in ours if key[1] == 1):
            same = all(np.array_equal(np.ravel(mine), np.ravel(other)) for mine, other in zip(ours[key], theirs[key]))
            checks.that(f"{name}, reduce_range: true: the weights of {key[0]} are onnxruntime's", same)
        spec = folder / "one.json"
        rules = [{"module_name": "head*", "weights": {"dtype": "int8"}}, {"module_name": "Linear", "weights": {"dtype": "int8"}}]
        for backend, file in [("torchao", f"{name}_traced.pt"), ("onnx", f"{name}.onnx")]:
            spec.write_text(json.dumps({"quantize": {"backend": backend, "mode": "weight_only_ptq", "layers": rules}}))
            run = kvant("plan", "-c", spec, "--model", DIGITS / "models" / file)
            checks.that(f"{name}: one spec serves {file}", run.code == 0, run.said)
    model = DIGITS / "models/transformer.onnx"
    for bits, symmetric, block_size in [(4, False, 32), (4, True, 32), (8, False, 32), (8, True, 32), (4, False, 16), (4, False, 128)]:
        what = f"transformer, blocks of {block_size}, {bits} bits, {'symmetric' if symmetric else 'asymmetric'}"
        out = folder / f"transformer-blocks-{bits}-{symmetric}-{block_size}"
        run = quantize(model, out, "weight_only_ptq", "int8",
                       backend_kwargs={"kernel": "nbits", "bits": bits, "symmetric": symmetric, "block_size": block_size})
        checks.that(f"{what}: is quantized", run.code == 0, run.said)
        ours = blocks(out / ARTIFACT)
        # Its tool quantizes MatMul alone.
        theirs = blocks_by_onnxruntime(model, folder / "blocks.onnx", bits, symmetric, block_size)
        same = sum(any(len(mine) == len(other) and all(map(np.array_equal, mine, other)) for mine in ours) for other in theirs)
        checks.that(f"{what}: {same} of {len(theirs)} products have onnxruntime's codes, scales and zero points", same == len(theirs) > 0)

checks.end()
