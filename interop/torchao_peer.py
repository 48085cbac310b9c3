"""What torchao itself makes of a network, and where two state dicts differ."""
import copy
import logging

import torch
from torch import nn

logging.disable(logging.WARNING)

from torchao.quantization import (  # noqa: E402
    Float8Tensor,
    Float8WeightOnlyConfig,
    Int8DynamicActivationInt8WeightConfig,
    Int8Tensor,
    Int8WeightOnlyConfig,
    quantize_,
)

QUANTIZED = (Int8Tensor, Float8Tensor)
CONFIGS = {
    "int8": lambda: Int8WeightOnlyConfig(set_inductor_config=False),
    "fp8_e4m3fn": lambda: Float8WeightOnlyConfig(weight_dtype=torch.float8_e4m3fn, set_inductor_config=False),
    "fp8_e5m2": lambda: Float8WeightOnlyConfig(weight_dtype=torch.float8_e5m2, set_inductor_config=False),
}


def quantized_by_torchao(network, dtype, kinds=(nn.Linear, nn.Embedding), skip=(), dynamic=False):
    """A copy whose modules of exactly these kinds have quantized weights; if dynamic, Linear modules quantize their input too.

    A module that goes by two names is met twice, and quantized once.
    """
    copied = copy.deepcopy(network)

    def wanted(module, name):
        return type(module) in kinds and name not in skip and not isinstance(module.weight, QUANTIZED)

    if dynamic:
        quantize_(copied, Int8DynamicActivationInt8WeightConfig(set_inductor_config=False),
                  filter_fn=lambda module, name: type(module) is nn.Linear and wanted(module, name))
    quantize_(copied, CONFIGS[dtype](), filter_fn=wanted)
    return copied


def same_bits(one, other):
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.numel() == 0:
        return True
    return torch.equal(bytes_of(one), bytes_of(other))


def bytes_of(tensor):
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def difference(one, other):
    """What is not the same in two entries of a state dict, down to the last bit; None when nothing is."""
    if type(one) is nn.Parameter:
        one = one.detach()
    if type(other) is nn.Parameter:
        other = other.detach()
    if type(one) is not type(other):
        return f"a {type(one).__name__} and a {type(other).__name__}"
    if not isinstance(one, QUANTIZED):
        return None if same_bits(one, other) else f"{described(one)} and {described(other)}, or other bits"
    if one.dtype != other.dtype or one.shape != other.shape or one.stride() != other.stride():
        return f"{described(one)} and {described(other)}"
    for name, value in vars_of(one).items():
        counterpart = vars_of(other)[name]
        if isinstance(value, torch.Tensor) and isinstance(counterpart, torch.Tensor):
            if not same_bits(value, counterpart):
                return f"{name}: {first_difference(value, counterpart)}"
        elif value != counterpart or type(value) is not type(counterpart):
            return f"{name}: {value!r} and {counterpart!r}"
    return None


def vars_of(quantized):
    kinds = ["tensor_data_names", "optional_tensor_data_names", "tensor_attribute_names", "optional_tensor_attribute_names"]
    return {name: getattr(quantized, name) for kind in kinds for name in getattr(quantized, kind, [])}


def described(tensor):
    return f"{tensor.dtype} {list(tensor.shape)} strides {tensor.stride()}"


def first_difference(one, other):
    if one.shape != other.shape or one.dtype != other.dtype:
        return f"{described(one)} and {described(other)}"
    width = one.element_size()
    unequal = (bytes_of(one) != bytes_of(other)).reshape(-1, width).any(1)
    at = int(unequal.nonzero()[0])
    return f"{int(unequal.sum())} of {one.numel()} differ, the first at {at}: {one.reshape(-1)[at]} and {other.reshape(-1)[at]}"


def differences(expected, found):
    """One line for each name that only one has or whose value is another."""
    lines = [f"{name} is missing" for name in expected if name not in found]
    lines += [f"{name} is too many" for name in found if name not in expected]
    for name in expected:
        if name in found:
            unequal = difference(expected[name], found[name])
            if unequal:
                lines.append(f"{name}: {unequal}")
    return lines


def dequantized(network, state):
    """A copy of the network with plain weights that carry the quantization's error."""
    copied = copy.deepcopy(network)
    plain = {name: value.dequantize() if isinstance(value, QUANTIZED) else value for name, value in state.items()}
    copied.load_state_dict(plain, strict=False)
    return copied
