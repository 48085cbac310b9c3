"""Writes what torchao 0.18 makes of the test networks: quantized checkpoints, each with its entries' bytes hashed beside it.

    python interop/golden/make_torchao_golden.py [OUT]      (default: formats/torch/src/test/resources/models/torchao)

The networks are those of tied.pth and mixed.pth; their Linear and Embedding modules are quantized, all in one dtype.
In mixed_int8_dynamic.pth Linear modules quantize their inputs too.
"""
import sys
from pathlib import Path

import torch

INTEROP = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(INTEROP), str(INTEROP / "models")]

import expected  # noqa: E402
from networks import Mixed, Tied, build  # noqa: E402
from torchao_peer import CONFIGS, QUANTIZED, quantized_by_torchao  # noqa: E402

DEFAULT = INTEROP.parent / "formats/torch/src/test/resources/models/torchao"
PARTS = ("qdata", "scale", "zero_point")


def entry(value):
    if not isinstance(value, QUANTIZED):
        return expected.describe(value)
    parts = {part: expected.describe(getattr(value, part)) for part in PARTS if getattr(value, part, None) is not None}
    plain = expected.describe(value.dequantize())
    return {"class": type(value).__name__, "dtype": plain["dtype"], "shape": plain["shape"], "dequantized_sha256": plain["sha256"], **parts}


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    for name, network in [("tied", build(Tied)), ("mixed", build(Mixed, 7))]:
        for dtype in CONFIGS:
            path = out / f"{name}_{dtype}.pth"
            torch.save(quantized_by_torchao(network, dtype).state_dict(), path)
            state = torch.load(path, weights_only=True)
            expected.write({"tensors": {key: entry(value) for key, value in state.items()}}, path.with_suffix(".pth.json"))
    torch.save(quantized_by_torchao(build(Mixed, 7), "int8", dynamic=True).state_dict(), out / "mixed_int8_dynamic.pth")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
