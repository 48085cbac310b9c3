"""Makes the golden files of the module numerics with torch, torchao and ModelOpt.

    python make_numerics_golden.py [DIRECTORY]

DIRECTORY defaults to numerics/src/test/resources/golden of this repository. Needs torch,
torchao 0.18 and nvidia-modelopt 0.47. All files are NumPy .npz archives; float types that NumPy lacks are stored as the
unsigned integers that hold their bits.

torchao-{float32,float16,bfloat16}.npz: a weight matrix [rows, columns] of difficult rows and what
torchao.quantization.quantize_ makes of an nn.Linear that holds it.
    weights              bits, uint32 or uint16 [rows, columns]
    {q}.codes            bits, uint8 [rows, columns]
    {q}.scales           float32 [rows]
    {q}.dequantized      bits, as the weights
    {q}.tensor_codes     uint8 [rows, columns], with one scale for the whole tensor
    {q}.tensor_scale     float32 [1]
with q one of int8, float8_e4m3fn, float8_e5m2.

modelopt-{float32,float16,bfloat16}.npz: what a TensorQuantizer of ModelOpt, calibrated by max,
makes of the same weights.
    {q}.amax             float32 [rows]
    {q}.restored         bits, as the weights
    {q}.tensor_amax      float32 [1], with one range for the whole tensor
    {q}.tensor_restored  bits, as the weights
with q one of int8, float8_e4m3fn.

casts-float32.npz: float32 values at and beside every rounding boundary, and torch's casts.
    float32              bits, uint32 [n]
    float16, bfloat16    bits, uint16 [n]
    float8_e4m3fn, float8_e5m2  bits, uint8 [n]

casts-bfloat16.npz: torch's casts of all 65536 bfloat16 values, in the order of their bits.
    float8_e4m3fn, float8_e5m2  bits, uint8 [65536]

decode-float8.npz: float32 values of all 256 codes, in the order of their bits.
    float8_e4m3fn, float8_e5m2  bits, uint32 [256]
"""

import sys
from pathlib import Path

import numpy as np
import torch
from modelopt.torch.quantization.config import QuantizerAttributeConfig
from modelopt.torch.quantization.nn import TensorQuantizer
from torchao.quantization import (
    Float8WeightOnlyConfig,
    Int8WeightOnlyConfig,
    PerRow,
    PerTensor,
    quantize_,
)

FLOAT8 = {"float8_e4m3fn": torch.float8_e4m3fn, "float8_e5m2": torch.float8_e5m2}
COLUMNS = 67  # odd, and no multiple of any vector length


def bits(tensor):
    """The bits of a tensor as unsigned integers."""
    size = tensor.element_size()
    signed = {1: torch.uint8, 2: torch.int16, 4: torch.int32}[size]
    unsigned = {1: np.uint8, 2: np.uint16, 4: np.uint32}[size]
    return tensor.contiguous().view(signed).numpy().view(unsigned)


def rows_for(dtype, generator):
    """Rows of float64, each one a difficulty; rounding to dtype comes later."""

    def normal(scale=1.0, n=COLUMNS):
        return torch.randn(n, generator=generator, dtype=torch.float64) * scale

    def mixed(values):
        values = torch.as_tensor(values, dtype=torch.float64)
        repeated = values.repeat(COLUMNS // len(values) + 1)[:COLUMNS]
        return repeated.clone()

    info = torch.finfo(dtype)
    tiny = info.smallest_normal * info.eps  # the smallest subnormal
    rows = [
        torch.zeros(COLUMNS),
        -torch.zeros(COLUMNS),
        mixed([0.0, -0.0]),
        torch.full((COLUMNS,), 0.5),
        torch.full((COLUMNS,), -0.3),
        torch.full((COLUMNS,), info.max),
        torch.full((COLUMNS,), info.min),
        mixed([tiny]),
        mixed([tiny, -tiny, 0.0, 2 * tiny]),
        mixed([info.smallest_normal, -tiny, 3 * tiny]),
        normal().abs(),
        -normal().abs(),
        normal(0.02),
        normal(100.0),
    ]
    # One huge outlier in each place where it can hide: first, middle, last.
    for place in (0, COLUMNS // 2, COLUMNS - 1):
        outlier = normal(0.02)
        outlier[place] = -3000.0 if place else 3000.0
        rows.append(outlier)
    # Ties of int8: with amax 127.5 the scale is 1 and k + 0.5 lies between two integers.
    ties = torch.arange(COLUMNS, dtype=torch.float64) - COLUMNS // 2 + 0.5
    ties[0] = 127.5
    rows.append(ties)
    rows.append(-ties)
    # The same for float8, amax 448 and 57344: halfway between neighbours, subnormal codes too.
    for name, float8 in FLOAT8.items():
        codes = torch.arange(0, 0x7F if name == "float8_e4m3fn" else 0x7C, dtype=torch.uint8)
        values = codes.view(float8).to(torch.float64)
        middles = (values[:-1] + values[1:]) / 2
        for start in range(0, len(middles), COLUMNS - 1):
            row = mixed([0.0])
            part = middles[start : start + COLUMNS - 1]
            row[1 : 1 + len(part)] = part
            row[0] = torch.finfo(float8).max
            rows.append(row)
            rows.append(-row)
    # Around the smallest int8 scale, and where quotients of float16 become subnormal or zero.
    for exponent in (-12, -14, -15, -16, -17, -18, -20, -22, -23, -24, -25, -30, -120, -140, -149):
        rows.append(normal(1.0).clamp(-3, 3) * 2.0**exponent)
    for exponent in (-8, -9, -10, -11, -13):
        rows.append(normal(1.0).clamp(-3, 3) * 2.0**exponent)
    # amax just beside 127.5 * 2^-23.
    for factor in (1 - 2**-8, 1 - 2**-11, 1 - 2**-24, 1 + 2**-23, 1 + 2**-10, 1 + 2**-7):
        row = normal(2.0**-19).clamp(-(2.0**-17), 2.0**-17)
        row[5] = 127.5 * 2.0**-23 * factor
        rows.append(row)
    # Ordinary layers.
    for scale in (1e-3, 0.05, 0.3, 1.7, 9.0):
        rows.append(normal(scale))
        rows.append((torch.rand(COLUMNS, generator=generator, dtype=torch.float64) - 0.5) * scale)
    stacked = torch.stack([row.to(torch.float64) for row in rows])
    return stacked.clamp(info.min, info.max).to(dtype)


def quantized_linear(weights, config):
    linear = torch.nn.Linear(weights.shape[1], weights.shape[0], bias=False, dtype=weights.dtype)
    linear.weight = torch.nn.Parameter(weights.clone(), requires_grad=False)
    quantize_(linear, config)
    return linear.weight


def torchao_file(dtype, directory):
    generator = torch.Generator().manual_seed(20)
    weights = rows_for(dtype, generator)
    arrays = {"weights": bits(weights)}
    configs = {
        "int8": lambda granularity: Int8WeightOnlyConfig(granularity=granularity),
        **{
            name: lambda granularity, float8=float8: Float8WeightOnlyConfig(
                weight_dtype=float8, granularity=granularity
            )
            for name, float8 in FLOAT8.items()
        },
    }
    for name, config in configs.items():
        quantized = quantized_linear(weights, config(PerRow()))
        arrays[f"{name}.codes"] = bits(quantized.qdata)
        arrays[f"{name}.scales"] = quantized.scale.reshape(-1).numpy()
        arrays[f"{name}.dequantized"] = bits(quantized.dequantize())
        # One scale for all rows, without the largest finite values that would leave only zeros.
        ordinary = torch.where(weights.abs().float() > 1e4, torch.zeros_like(weights), weights)
        quantized = quantized_linear(ordinary, config(PerTensor()))
        arrays[f"{name}.tensor_codes"] = bits(quantized.qdata)
        arrays[f"{name}.tensor_scale"] = quantized.scale.reshape(-1).numpy()
    np.savez_compressed(directory / f"torchao-{str(dtype)[6:]}.npz", **arrays)


def modelopt_file(dtype, directory):
    weights = rows_for(dtype, torch.Generator().manual_seed(20))
    # One range for all rows, without the largest finite values that would leave only zeros.
    ordinary = torch.where(weights.abs().float() > 1e4, torch.zeros_like(weights), weights)
    arrays = {}
    for name, bits_of_codes in {"int8": 8, "float8_e4m3fn": (4, 3)}.items():
        for prefix, axis, values in (("", 0, weights), ("tensor_", None, ordinary)):
            quantizer = TensorQuantizer(QuantizerAttributeConfig(num_bits=bits_of_codes, axis=axis))
            quantizer.disable_quant()
            quantizer.enable_calib()
            quantizer(values)
            quantizer.load_calib_amax()
            quantizer.disable_calib()
            quantizer.enable_quant()
            arrays[f"{name}.{prefix}amax"] = quantizer.amax.float().reshape(-1).numpy()
            arrays[f"{name}.{prefix}restored"] = bits(quantizer(values).detach())
    np.savez_compressed(directory / f"modelopt-{str(dtype)[6:]}.npz", **arrays)


def boundaries():
    """float32 values at codes, at middles of neighbouring codes, and beside them."""
    points = []
    for float8 in FLOAT8.values():
        values = torch.arange(0, 0x80, dtype=torch.uint8).view(float8).to(torch.float32)
        values = values[torch.isfinite(values)]
        points += [values, (values[:-1] + values[1:]) / 2, values[-1:] * 1.0625, values[-1:] * 1.125]
    halves = torch.cat([torch.arange(0, 0x7C00, 97), torch.arange(0, 0x20), torch.arange(0x3F0, 0x410)])
    halves = torch.cat([halves, torch.tensor([0x7BFE, 0x7BFF])]).to(torch.int16)
    low = halves.view(torch.float16).to(torch.float32)
    high = (halves + 1).view(torch.float16).to(torch.float32)
    points += [low, torch.where(torch.isinf(high), torch.full_like(low, 65520.0), (low + high) / 2)]
    bfloats = torch.arange(0, 0x7F80, 211).to(torch.int32)
    points += [((bfloats << 16) | 0x8000).view(torch.float32), (bfloats << 16).view(torch.float32)]
    exact = torch.cat(points).view(torch.int32)
    around = torch.cat([exact + step for step in (-1, 0, 1)]).clamp(min=0)
    special = [0x7F800000, 0x7F7FFFFF, 0x7F7F7FFF, 0x7F7F8000, 1, 0x007FFFFF, 0x00800000]
    special += [0x7FC00000, 0x7F800001, 0x7FFFFFFF]
    magnitudes = torch.unique(torch.cat([around, torch.tensor(special, dtype=torch.int32)]))
    return torch.cat([magnitudes, magnitudes | -(2**31)]).view(torch.float32)


def cast_files(directory):
    values = boundaries()
    arrays = {"float32": bits(values)}
    arrays["float16"] = bits(values.to(torch.float16))
    arrays["bfloat16"] = bits(values.to(torch.bfloat16))
    for name, float8 in FLOAT8.items():
        arrays[name] = bits(values.to(float8))
    np.savez_compressed(directory / "casts-float32.npz", **arrays)

    bfloats = torch.arange(0, 0x10000, dtype=torch.int32).to(torch.int16).view(torch.bfloat16)
    arrays = {name: bits(bfloats.to(torch.float32).to(float8)) for name, float8 in FLOAT8.items()}
    np.savez_compressed(directory / "casts-bfloat16.npz", **arrays)

    codes = torch.arange(0, 0x100, dtype=torch.int32).to(torch.uint8)
    arrays = {name: bits(codes.view(float8).to(torch.float32)) for name, float8 in FLOAT8.items()}
    np.savez_compressed(directory / "decode-float8.npz", **arrays)


def main():
    repository = Path(__file__).resolve().parents[2]
    default = repository / "numerics/src/test/resources/golden"
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    directory.mkdir(parents=True, exist_ok=True)
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        torchao_file(dtype, directory)
        modelopt_file(dtype, directory)
    cast_files(directory)


if __name__ == "__main__":
    main()
