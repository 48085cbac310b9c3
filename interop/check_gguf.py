"""gguf and llama.cpp read what the backend gguf writes: metadata as it was, blocks of gguf's own quantizers, the errors of the report, the same next tokens."""
import json
import tempfile
from pathlib import Path

import gguf
import numpy as np

from kvant import Checks, kvant
from llama_cpp import next_tokens

ARTIFACT = "quantized_model.gguf"
# The type, and the number of the file.
DTYPES = {
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, 7),
    "q6_k": (gguf.GGMLQuantizationType.Q6_K, 18),
    "q5_1": (gguf.GGMLQuantizationType.Q5_1, 9),
    "q5_0": (gguf.GGMLQuantizationType.Q5_0, 8),
    "q4_k": (gguf.GGMLQuantizationType.Q4_K, 14),
    "q4_1": (gguf.GGMLQuantizationType.Q4_1, 3),
    "q4_0": (gguf.GGMLQuantizationType.Q4_0, 2),
}
# gguf quantizes these itself.
COMPARED = {"q8_0", "q5_1", "q5_0", "q4_1", "q4_0"}
# The recipe keeps what gives the next token at six bits or more, as llama.cpp does.
LAST = "output.weight"
LARGER = {"q8_0", "q6_k"}
SOURCES = {"float32": 0, "float16": 1, "bfloat16": 32}
NATIVE = ("_norm.weight", "rope_freqs.weight")
WIDTH, INNER, LAYERS, HEADS, KEYS = 256, 512, 2, 4, 2
CHARACTERS = [chr(code) for code in range(0x4E00, 0x4E00 + 253)]
PROMPTS = 300
# Of these next tokens; weights with errors of 10 % change close decisions.
AGREEING = 0.98


def made(path, dtype):
    """A decoder whose tokens are single characters: random weights, but each token has a favourite that follows it, as in trained models."""
    random = np.random.default_rng(7)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("a decoder with random weights")
    writer.add_context_length(128)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEYS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_file_type(SOURCES[dtype])
    tokens = ["<unk>", "<s>", "</s>"] + CHARACTERS
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([2, 3, 3] + [1] * len(CHARACTERS))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_space_prefix(False)

    def matrix(name, *shape, like=0, scale=0.03):
        values = (random.standard_normal(shape) * scale + like).astype(np.float32)
        if dtype == "float16":
            writer.add_tensor(name, values.astype(np.float16))
        elif dtype == "bfloat16":
            kind = gguf.GGMLQuantizationType.BF16
            writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, values)
        return values

    def norm(name):
        writer.add_tensor(name, (1 + 0.1 * random.standard_normal(WIDTH)).astype(np.float32))

    embedding = matrix("token_embd.weight", len(tokens), WIDTH, scale=0.12)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        norm(block + "attn_norm.weight")
        matrix(block + "attn_q.weight", WIDTH, WIDTH)
        matrix(block + "attn_k.weight", WIDTH // HEADS * KEYS, WIDTH)
        matrix(block + "attn_v.weight", WIDTH // HEADS * KEYS, WIDTH)
        matrix(block + "attn_output.weight", WIDTH, WIDTH)
        norm(block + "ffn_norm.weight")
        matrix(block + "ffn_gate.weight", INNER, WIDTH)
        matrix(block + "ffn_up.weight", INNER, WIDTH)
        matrix(block + "ffn_down.weight", WIDTH, INNER)
    norm("output_norm.weight")
    matrix("output.weight", len(tokens), WIDTH, like=np.roll(embedding, 7, 0), scale=0.06)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def quantized(source, target, dtype, *arguments):
    run = kvant("quantize", source, "--dtype", dtype, "--out", target, "--report", target, "--no-verify", *arguments)
    if run.code != 0:
        raise RuntimeError(run.said)
    return target / ARTIFACT


def metadata(reader):
    return {key: b"".join(part.tobytes() for part in field.parts) for key, field in reader.fields.items() if not key.startswith("GGUF.")}


def values(tensor):
    """The values of a tensor, restored where it holds blocks."""
    shape = tensor.shape[::-1]
    return gguf.quants.dequantize(np.ascontiguousarray(tensor.data).view(np.uint8).reshape(shape[0], -1), tensor.tensor_type).reshape(shape)


def compare(checks, name, source, target, dtype):
    kind, number = DTYPES[dtype]
    before, after = gguf.GGUFReader(source), gguf.GGUFReader(target)
    kept, written = metadata(before), metadata(after)
    changed = {key for key in written if kept.get(key) != written[key]}
    checks.that(f"{name}: the metadata is that of the source, in its order",
                changed == {"general.file_type", "general.quantization_version"} and list(written)[:len(kept)] == list(kept), str(changed))
    checks.that(f"{name}: the file has llama.cpp's number {number}", after.get_field("general.file_type").contents() == number)
    originals = {tensor.name: tensor for tensor in before.tensors}
    report = json.loads((target.parent / "report.json").read_text())
    reported = {module["module"]: module["weights"]["outcome"] for module in report["modules"]}
    wrong = [] if [tensor.name for tensor in after.tensors] == list(originals) else ["the names"]
    ratios = []
    for tensor in after.tensors:
        original = originals[tensor.name]
        if tensor.name.endswith(NATIVE):
            if tensor.tensor_type != original.tensor_type or tensor.data.tobytes() != original.data.tobytes():
                wrong.append(tensor.name)
            continue
        weight = values(original)
        is_last = tensor.name == LAST and dtype not in LARGER
        expected = gguf.GGMLQuantizationType.Q6_K if is_last else kind
        if tensor.tensor_type != expected or (not is_last and dtype in COMPARED and tensor.data.tobytes() != gguf.quants.quantize(weight, kind).tobytes()):
            wrong.append(tensor.name)
        error = weight.astype(np.float64) - values(tensor)
        measured = 10 * np.log10((weight.astype(np.float64) ** 2).sum() / (error ** 2).sum())
        said = reported[tensor.name.removesuffix(".weight")]["sqnr_db"]
        ratios.append(abs(measured - said))
    same = "have the bytes of gguf's quantizer" if dtype in COMPARED else "are of the type"
    checks.that(f"{name}: {len(ratios)} weights {same}, all else is as it was", ratios and not wrong, ", ".join(wrong[:3]))
    checks.that(f"{name}: gguf restores them with the errors of the report", max(ratios) < 0.01, f"{max(ratios):.3f} dB off")


checks = Checks()
with tempfile.TemporaryDirectory(prefix="kvant-interop-") as name:
    folder = Path(name)
    sources = {dtype: made(folder / f"{dtype}.gguf", dtype) for dtype in SOURCES}
    random = np.random.default_rng(8)
    prompts = ["".join(random.choice(CHARACTERS, 12)) for _ in range(PROMPTS)]
    with checks.group("llama.cpp"):
        expected = next_tokens(sources["float16"], prompts, folder)
        checks.that("llama.cpp says different next tokens to different prompts", len(set(expected)) > 50, str(len(set(expected))))
    for dtype in DTYPES:
        for source in SOURCES:
            with checks.group(f"{source} to {dtype}"):
                target = quantized(sources[source], folder / f"{source}-{dtype}", dtype)
                compare(checks, f"{source} to {dtype}", sources[source], target, dtype)
        with checks.group(f"{dtype} in llama.cpp"):
            said = next_tokens(folder / f"float16-{dtype}" / ARTIFACT, prompts, folder)
            same = sum(a == b for a, b in zip(said, expected, strict=True))
            checks.that(f"{dtype}: llama.cpp says {same} of {len(said)} next tokens as for float16", same >= AGREEING * len(said))
    with checks.group("a quantized file"):
        run = kvant("quantize", folder / "float16-q8_0" / ARTIFACT, "--out", folder / "again")
        checks.that("a quantized file is refused by name", run.code == 1 and "llama.cpp" in run.said and "q8_0" in run.said, run.said)
    with checks.group("inspect"):
        run = kvant("inspect", sources["float16"], "--format", "json")
        modules = {module["name"] for module in json.loads(run.out)["modules"]}
        checks.that("kvant inspect names the modules", {"token_embd", "blk.1.ffn_down", "output"} <= modules, str(modules))
checks.end()
