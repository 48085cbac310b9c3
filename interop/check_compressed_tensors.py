"""transformers loads each scheme of the backend compressed-tensors on the CPU, and compressed-tensors computes the same codes, scales and words."""
import contextlib
import io
import json
import logging
import os
import shutil
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.quantization import QuantizationConfig
from compressed_tensors.quantization.utils import calculate_qparams, generate_gparam
from modelopt.torch.export.convert_hf_config import convert_hf_quant_config_format
from modelopt.torch.export.quant_utils import to_quantized_weight
from modelopt.torch.quantization.qtensor.nvfp4_tensor import NVFP4QTensor
from safetensors.torch import load_file, save_file

from kvant import Checks, kvant

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
logging.disable(logging.WARNING)
torch.manual_seed(1)

SIZES = dict(hidden_size=256, intermediate_size=512, num_hidden_layers=2, num_attention_heads=4, vocab_size=320,
             max_position_embeddings=64)
DECODER = dict(**SIZES, num_key_value_heads=2)
NETWORKS = {
    "llama": (transformers.LlamaForCausalLM, transformers.LlamaConfig(**DECODER)),
    "qwen2": (transformers.Qwen2ForCausalLM, transformers.Qwen2Config(**DECODER)),
    "mistral": (transformers.MistralForCausalLM, transformers.MistralConfig(**DECODER)),
    "gemma": (transformers.GemmaForCausalLM, transformers.GemmaConfig(**DECODER, head_dim=64)),
    "bert": (transformers.BertForMaskedLM, transformers.BertConfig(**SIZES)),
    "mixtral": (transformers.MixtralForCausalLM, transformers.MixtralConfig(**DECODER, num_local_experts=4)),
    "qwen3_moe": (transformers.Qwen3MoeForCausalLM, transformers.Qwen3MoeConfig(
        **DECODER, head_dim=64, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=128)),
}

# The mode, the dtype and the granularity of each scheme.
SCHEMES = {
    "W8A16": ("weight_only_ptq", "int8", "channel"),
    "W8A16 in groups": ("weight_only_ptq", "int8", "group:32"),
    "W4A16": ("weight_only_ptq", "int4", "group:128"),
    "W4A16 in groups of 32": ("weight_only_ptq", "int4", "group:32"),
    "W4A16 in groups of 64, asymmetric": ("weight_only_ptq", "uint4", "group:64"),
    "W8A8": ("dynamic_ptq", "int8", "channel"),
    "FP8": ("dynamic_ptq", "fp8_e4m3fn", "channel"),
    "FP8 in blocks": ("dynamic_ptq", "fp8_e4m3fn", "block:128x128"),
    "FP8, weights only": ("weight_only_ptq", "fp8_e4m3fn", "channel"),
    "NVFP4": ("weight_only_ptq", "nvfp4", "group:16"),
    "MXFP4": ("weight_only_ptq", "mxfp4", "group:32"),
}
# transformers 5.24 loads these only if it restores the weights at once: zero points, and experts, which it merges.
RESTORED = {"W4A16 in groups of 64, asymmetric"}
MIXTURES = {"mixtral", "qwen3_moe"}
# Of experts it restores neither integers that are not packed, nor zero points, nor blocks, nor float4.
NOT_LOADED = {(mixture, scheme) for mixture in MIXTURES
              for scheme in ("W8A8", "W4A16 in groups of 64, asymmetric", "FP8 in blocks", "NVFP4", "MXFP4")}
# compressed-tensors restores these as bfloat16, which only multiplies inputs of bfloat16.
OF_BFLOAT16 = {"NVFP4", "MXFP4"}
LOCAL = ("weight", "weight_packed", "weight_scale", "weight_zero_point", "weight_shape", "weight_global_scale",
         "weight_scale_2")


def made(folder, name, dtype):
    """A checkpoint with random weights, larger than transformers initializes them, in two shards."""
    cls, config = NETWORKS[name]
    model = cls(config).to(dtype)
    for parameter in model.parameters():
        parameter.data.normal_(0, 0.08)
    target = folder / f"{name}-{str(dtype).split('.')[1]}"
    model.save_pretrained(target, max_shard_size="2MB")
    (target / "tokenizer_config.json").write_text("{}")
    return target


def quantized(source, target, mode, dtype, granularity, rules=(), **settings):
    layers = [{"module_name": "Linear", "weights": {"dtype": dtype, "granularity": granularity}, **({"activations": {"dtype": dtype}} if mode == "dynamic_ptq" else {})}]
    spec = {"quantize": {"backend": "compressed-tensors", "mode": mode, **settings, "model_path": str(source),
                         "results_dir": str(target), "layers": layers + list(rules)}}
    path = target.with_suffix(".yaml")
    path.write_text(json.dumps(spec))
    run = kvant("quantize", "-c", path)
    if run.code != 0:
        raise RuntimeError(run.said)
    return target


def tensors(folder):
    return {name: tensor for file in sorted(folder.glob("*.safetensors")) for name, tensor in load_file(file).items()}


def by_module(stored):
    modules = {}
    for name, tensor in stored.items():
        module, local = name.rsplit(".", 1)
        if local in LOCAL:
            modules.setdefault(module, {})[local] = tensor
    return {module: found for module, found in modules.items() if "weight_scale" in found}


def scheme_of(config, module):
    groups = config.config_groups.values()
    return next((group for group in groups if module in group.targets), next(iter(groups)))


def expected(weight, scheme, shared):
    """What compressed-tensors stores for a weight: its ranges in the type of the weight, its codes in float32, as its GPU kernels do."""
    args = scheme.weights
    matrix = weight
    if args.strategy in ("group", "tensor_group"):
        grouped = matrix.unflatten(-1, (-1, args.group_size))
        low, high = grouped.amin(-1), grouped.amax(-1)
    elif args.strategy == "block":
        rows, columns = args.block_structure
        padded = torch.nn.functional.pad(matrix, (0, -matrix.shape[1] % columns, 0, -matrix.shape[0] % rows))
        blocks = padded.unflatten(1, (-1, columns)).unflatten(0, (-1, rows))
        low, high = blocks.amin((1, 3)), blocks.amax((1, 3))
    else:
        low, high = matrix.amin(-1, keepdim=True), matrix.amax(-1, keepdim=True)
    state = {}
    global_scale = None
    if args.strategy == "tensor_group":
        global_scale = generate_gparam(shared.amin(), shared.amax())
        state["weight_global_scale"] = global_scale
    scale, zero_point = calculate_qparams(low, high, args, global_scale)
    state |= {"weight": weight.float(), "weight_scale": scale.float(), "weight_zero_point": zero_point}
    stored = BaseCompressor.get_value_from_registry(scheme.format).compress(state, scheme)
    if scheme.format in ("pack-quantized", "int-quantized", "float-quantized", "naive-quantized"):
        stored["weight_scale"] = scale
    return stored


def bits(tensor):
    return tensor.contiguous().reshape(-1).view(torch.uint8) if tensor.is_floating_point() else tensor


def merged(source, module):
    """The weights that engines merge with a module's, as rows of one matrix."""
    for names in (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"), ("query", "key", "value")):
        parent, local = module.rsplit(".", 1)
        if local in names:
            return torch.cat([source[f"{parent}.{name}.weight"] for name in names])
    return source[f"{module}.weight"]


def compare(checks, name, source, target):
    before, after = tensors(source), tensors(target)
    config = QuantizationConfig.model_validate(json.loads((target / "config.json").read_text())["quantization_config"])
    unequal, count = [], 0
    for module, stored in by_module(after).items():
        weight = before[f"{module}.weight"]
        wanted = expected(weight, scheme_of(config, module), merged(before, module))
        wanted = {local: tensor for local, tensor in wanted.items() if local in stored or local != "weight_zero_point"}
        for local in sorted(wanted.keys() | stored.keys()):
            count += 1
            if local not in wanted or local not in stored:
                unequal.append(f"{module}.{local} is in one of both")
            elif wanted[local].dtype != stored[local].dtype or wanted[local].shape != stored[local].shape:
                unequal.append(f"{module}.{local}: {wanted[local].dtype} {tuple(wanted[local].shape)} and {stored[local].dtype} {tuple(stored[local].shape)}")
            elif not torch.equal(bits(wanted[local]), bits(stored[local])):
                unequal.append(f"{module}.{local}: {(bits(wanted[local]) != bits(stored[local])).sum()} of {stored[local].numel()} differ")
    checks.that(f"{name}: {count} tensors are those of compressed-tensors, bit for bit", count and not unequal, "; ".join(unequal[:3]))


def compare_modelopt(checks, name, source, target):
    """The same tensors from ModelOpt's own functions; each weight has a scale of its own where engines do not merge it."""
    before, after = tensors(source), tensors(target)
    unequal, count = [], 0
    for module, stored in by_module(after).items():
        weight = before[f"{module}.weight"].float()
        if "weight_scale_2" in stored:
            scale_2 = NVFP4QTensor.get_weights_scaling_factor_2(merged(before, module))
            scale, _ = NVFP4QTensor.get_weights_scaling_factor(weight, 16, scale_2)
            codes = NVFP4QTensor.quantize(weight.clone(), 16, scale, scale_2)[0]._quantized_data
            wanted = {"weight": codes, "weight_scale": scale, "weight_scale_2": scale_2}
        else:
            scale = weight.abs().amax(-1) / 448
            wanted = {"weight": to_quantized_weight(weight, scale, "fp8_pc_pt"), "weight_scale": scale}
        for local in sorted(wanted.keys() | stored.keys()):
            count += 1
            if local not in wanted or local not in stored or wanted[local].dtype != stored[local].dtype or not torch.equal(bits(wanted[local]), bits(stored[local])):
                unequal.append(f"{module}.{local}: {wanted.get(local)} and {stored.get(local)}")
    document = json.loads((target / "hf_quant_config.json").read_text())
    converted = convert_hf_quant_config_format(document)
    written = json.loads((target / "config.json").read_text())["quantization_config"]
    same = all(written[key] == converted[key] for key in ("quant_algo", "ignore", "producer", "quant_method"))
    checks.that(f"{name}: {count} tensors are those of ModelOpt, bit for bit", count and not unequal, "; ".join(unequal[:2]))
    checks.that(f"{name}: config.json says what ModelOpt makes of hf_quant_config.json", same, f"{written} and {converted}")


def logits(model, ids):
    # Weights are restored at the first call, with bars of progress.
    with torch.no_grad(), contextlib.redirect_stderr(io.StringIO()):
        return model(ids).logits.double()


def opened(cls, folder, **options):
    with contextlib.redirect_stderr(io.StringIO()):
        return cls.from_pretrained(folder, **options)


def restored(source, target, folder):
    """The source with the weights that the stored codes stand for, computed by compressed-tensors."""
    config = QuantizationConfig.model_validate(json.loads((target / "config.json").read_text())["quantization_config"])
    weights = tensors(source)
    for module, stored in by_module(tensors(target)).items():
        scheme = scheme_of(config, module)
        state = BaseCompressor.get_value_from_registry(scheme.format).decompress(dict(stored), scheme)
        weights[f"{module}.weight"] = state["weight"].to(weights[f"{module}.weight"].dtype)
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("*.safetensors", "*.index.json"))
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


def loads(checks, name, cls, source, target, is_dynamic, is_restored):
    ids = torch.arange(1, 33)[None]
    wanted = logits(opened(cls, restored(source, target, target.with_suffix(".restored"))), ids)
    native = logits(opened(cls, source), ids)
    options = {"quantization_config": transformers.CompressedTensorsConfig(dequantize=True)} if is_restored else {}
    got = logits(opened(cls, target, **options), ids)
    cosine, to_native = (torch.nn.functional.cosine_similarity(got.flatten(), other.flatten(), dim=0).item() for other in (wanted, native))
    # Inputs that are quantized at run time change the logits, weights alone do not.
    holds = cosine > 0.99 if is_dynamic and not is_restored else torch.equal(got, wanted)
    checks.that(f"{name}: transformers gives the logits of the restored weights", holds and to_native > 0.8,
                f"cosine {cosine} with those weights, {to_native} with the float model, largest difference {(got - wanted).abs().max().item()}")


checks = Checks()
with tempfile.TemporaryDirectory(prefix="kvant-interop-") as name:
    folder = Path(name)
    for network in NETWORKS:
        sources = {dtype: made(folder, network, dtype) for dtype in (torch.float32, torch.bfloat16)}
        for scheme, (mode, dtype, granularity) in SCHEMES.items():
            source = sources[torch.bfloat16 if scheme in OF_BFLOAT16 else torch.float32]
            with checks.group(f"{network}, {scheme}"):
                target = quantized(source, folder / f"{network} {scheme}".replace(" ", "-"), mode, dtype, granularity)
                if network == "llama":
                    compare(checks, f"{network}, {scheme}", source, target)
                if (network, scheme) not in NOT_LOADED:
                    loads(checks, f"{network}, {scheme}", NETWORKS[network][0], source, target, mode == "dynamic_ptq",
                          scheme in RESTORED or network in MIXTURES)
    source = folder / "llama-bfloat16"
    with checks.group("a mixed plan"):
        rule = {"module_name": "*.down_proj", "weights": {"dtype": "int8", "granularity": "channel"}}
        target = quantized(source, folder / "mixed", *SCHEMES["W4A16"], rules=[rule])
        compare(checks, "llama, W4A16 with W8A16", source, target)
        loads(checks, "llama, W4A16 with W8A16", NETWORKS["llama"][0], source, target, False, False)
        rule = {"module_name": "*.down_proj", "weights": {"dtype": "fp8_e4m3fn", "granularity": "channel"}}
        target = quantized(source, folder / "formats", *SCHEMES["W4A16"], rules=[rule])
        compare(checks, "llama, W4A16 with FP8", source, target)
        loads(checks, "llama, W4A16 with FP8", NETWORKS["llama"][0], source, target, False, False)
    for scheme in ("FP8", "NVFP4"):
        with checks.group(f"the layout of ModelOpt, {scheme}"):
            exported = quantized(source, folder / f"modelopt-{scheme}", *SCHEMES[scheme], backend_kwargs={"layout": "modelopt"})
            compare_modelopt(checks, f"llama, {scheme} in the layout of ModelOpt", source, exported)
    with checks.group("a quantized checkpoint"):
        run = kvant("quantize", target, "--out", folder / "again")
        checks.that("a quantized checkpoint is refused by name", run.code == 1 and "compressed-tensors" in run.said, run.said)
    for dtype in (torch.bfloat16, torch.float16):
        source = made(folder, "llama", dtype)
        for scheme, (mode, weights, granularity) in SCHEMES.items():
            with checks.group(f"llama in {dtype}, {scheme}"):
                target = quantized(source, folder / f"{dtype} {scheme}".replace(" ", "-"), mode, weights, granularity)
                compare(checks, f"llama in {dtype}, {scheme}", source, target)
checks.end()
