"""Checkpoints of Hugging Face become GGUF files with gguf's names and metadata, and llama.cpp says the next tokens that transformers says."""
import json
import os
import struct
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import gguf
import numpy as np
import torch
import transformers
from gguf.tensor_mapping import get_tensor_name_map
from safetensors import safe_open
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from kvant import ROOT, Checks, kvant
from llama_cpp import next_tokens

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.manual_seed(1)

ARTIFACT = "quantized_model.gguf"
CHARACTERS = [chr(code) for code in range(0x4E00, 0x4E00 + 252)]
PROMPTS = 100
# Of the prompts, so many have a likeliest token whose logit is above the next one by the MARGIN, as a part of the logits' deviation.
DECIDED = 0.8
MARGIN = 0.02
WORDS = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
         r"|\s*[\r\n]+|\s+(?!\S)|\s+")
SIZES = dict(hidden_size=256, intermediate_size=512, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=128)
DECODER = dict(**SIZES, num_key_value_heads=2, bos_token_id=1, eos_token_id=2, pad_token_id=0)
# gemma2 and gemma3 attend to a part of the prompt in some layers. llama.cpp runs them with as many layers as a published network has.
GEMMA = dict(DECODER, intermediate_size=256, num_hidden_layers=26, sliding_window=6, vocab_size=256, head_dim=64, query_pre_attn_scalar=64)
# The network, what gguf calls it, its tokenizer, and whether the llama.cpp of de.kherud:llama 4.1.0 runs it: it does not know qwen3.
NETWORKS = {
    "llama": (transformers.LlamaForCausalLM, transformers.LlamaConfig(**DECODER, vocab_size=608), "LLAMA", "bytes", True),
    "llama 3.1": (transformers.LlamaForCausalLM, transformers.LlamaConfig(
        **DECODER, vocab_size=256, rope_parameters=dict(
            rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
            original_max_position_embeddings=64)), "LLAMA", "pieces", True),
    "mistral": (transformers.MistralForCausalLM, transformers.MistralConfig(**DECODER, vocab_size=256), "LLAMA", "pieces", True),
    "qwen2": (transformers.Qwen2ForCausalLM, transformers.Qwen2Config(**DECODER, vocab_size=608), "QWEN2", "bytes", True),
    "qwen3": (transformers.Qwen3ForCausalLM, transformers.Qwen3Config(**DECODER, vocab_size=608, head_dim=64), "QWEN3", "bytes", False),
    "phi3": (transformers.Phi3ForCausalLM, transformers.Phi3Config(**DECODER, vocab_size=256), "PHI3", "pieces", True),
    "gemma": (transformers.GemmaForCausalLM, transformers.GemmaConfig(**DECODER, vocab_size=256, head_dim=64), "GEMMA", "pieces", True),
    "gemma2": (transformers.Gemma2ForCausalLM, transformers.Gemma2Config(**GEMMA), "GEMMA2", "pieces", True),
    "gemma3": (transformers.Gemma3ForCausalLM, transformers.Gemma3TextConfig(**GEMMA), "GEMMA3", "pieces", True),
    "bert": (transformers.BertModel, transformers.BertConfig(**SIZES, vocab_size=128), "BERT", "words", False),
}


def byte_pairs(folder, regex):
    """A tokenizer as those of Llama 3 and Qwen: merged bytes."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(regex), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    texts = [path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=600, special_tokens=["<|pad|>", "<|begin|>", "<|end|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.post_processor = processors.TemplateProcessing(single="<|begin|> $A", special_tokens=[("<|begin|>", 1)])
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|begin|>", eos_token="<|end|>", pad_token="<|pad|>")
    fast.chat_template = "{% for message in messages %}{{ message.content }}{% endfor %}"
    fast.save_pretrained(folder)
    return fast


def pieces(folder):
    """A tokenizer.model of SentencePiece, whose tokens are single characters, without a blank before a text."""
    def piece(text, kind):
        text = text.encode()
        content = b"\x0a" + bytes([len(text)]) + text + b"\x15" + struct.pack("<f", 0.0) + b"\x18" + bytes([kind])
        return b"\x0a" + bytes([len(content)]) + content

    tokens = [("<unk>", 2), ("<s>", 3), ("</s>", 3)] + [(character, 1) for character in CHARACTERS]
    # llama.cpp requires it of Phi-3.
    tokens.append(("<|endoftext|>", 3))
    (folder / "tokenizer.model").write_bytes(b"".join(piece(*token) for token in tokens) + b"\x1a\x02\x18\x00")
    (folder / "tokenizer_config.json").write_text(json.dumps({"add_bos_token": True}))


def words(folder):
    lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [f"word{number}" for number in range(60)] + [f"##s{number}" for number in range(60)]
    (folder / "vocab.txt").write_text("\n".join(lines) + "\n")


def made(folder, name):
    cls, config, _, kind, _ = NETWORKS[name]
    model = cls(config).float().eval()
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.data.normal_(0, 0.05)
        else:
            parameter.data.add_(0.1 * torch.randn_like(parameter))
    if hasattr(model, "lm_head") and not config.tie_word_embeddings:
        model.get_input_embeddings().weight.data.mul_(3)
        # Each token has a favourite that follows it, as in trained models.
        model.lm_head.weight.data.add_(model.get_input_embeddings().weight.data.roll(7, 0))
    model.save_pretrained(folder, max_shard_size="2MB")
    tokenizer = None
    if kind == "bytes":
        tokenizer = byte_pairs(folder, WORDS if name == "llama" else WORDS.replace("{1,3}", ""))
    elif kind == "pieces":
        pieces(folder)
    else:
        words(folder)
    return model, tokenizer


def compare_tensors(checks, name, folder, target):
    """Names, shapes and values, which rows in pairs and norms with 1 added change."""
    arch = NETWORKS[name][2]
    names = get_tensor_name_map(getattr(gguf.MODEL_ARCH, arch), NETWORKS[name][1].num_hidden_layers)
    found = {tensor.name: tensor for tensor in gguf.GGUFReader(target).tensors}
    wrong = []
    count = 0
    for shard in sorted(folder.glob("*.safetensors")):
        with safe_open(shard, "np") as file:
            for key in file.keys():
                if "pooler" in key:
                    continue
                expected = file.get_tensor(key).astype(np.float32)
                mapped = names.get_name(key, (".weight", ".bias"))
                tensor = found.pop(mapped, None)
                if tensor is None:
                    wrong.append(key)
                    continue
                count += 1
                if arch == "LLAMA" and mapped.split(".")[-2] in ("attn_q", "attn_k"):
                    heads = DECODER["num_attention_heads" if "attn_q" in mapped else "num_key_value_heads"]
                    expected = expected.reshape(heads, 2, -1, expected.shape[1]).swapaxes(1, 2).reshape(expected.shape)
                if arch.startswith("GEMMA") and mapped.endswith("_norm.weight"):
                    expected = expected + 1
                is_native = tensor.tensor_type == gguf.GGMLQuantizationType.F32
                if not is_native:
                    expected = gguf.quants.quantize(expected, gguf.GGMLQuantizationType.Q8_0)
                if tensor.data.tobytes() != expected.tobytes():
                    wrong.append(key)
    rest = set(found) - {"rope_freqs.weight"}
    quantized = " in q8_0" if any(tensor.tensor_type == gguf.GGMLQuantizationType.Q8_0 for tensor in gguf.GGUFReader(target).tensors) else ""
    checks.that(f"{name}: {count} tensors have gguf's names and the values of the checkpoint{quantized}", not wrong and not rest, f"{wrong[:3]} {rest}")


def compare_vocabulary(checks, name, folder, target):
    """What gguf itself reads of the tokenizer of a folder."""
    reader = gguf.GGUFReader(target)
    value = lambda key: reader.get_field(key).contents() if reader.get_field(key) else None
    special = gguf.SpecialVocab(folder, load_merges=True, n_vocab=len(value("tokenizer.ggml.tokens")))
    ids = {kind: value(f"tokenizer.ggml.{ {'unk': 'unknown', 'pad': 'padding', 'sep': 'seperator'}.get(kind, kind)}_token_id")
           for kind in special.special_token_ids}
    adds = {kind: value(f"tokenizer.ggml.add_{kind}_token") for kind in special.add_special_token}
    checks.that(f"{name}: merges, special tokens and chat template are those that gguf reads",
                special.merges == (value("tokenizer.ggml.merges") or []) and ids == special.special_token_ids
                and adds == special.add_special_token and special.chat_template == value("tokenizer.chat_template"), f"{ids} {adds}")


def converted(folder, target, *arguments):
    run = kvant("quantize", "--model", folder, "--out", target, "--no-verify", *arguments)
    if run.code:
        raise RuntimeError(run.said)
    return target / ARTIFACT


def converted_without_blocks(folder, target):
    """The file in float32, whose logits differ from those of transformers by the order of additions alone."""
    spec = target.with_suffix(".json")
    spec.write_text(json.dumps({"quantize": {"backend": "gguf", "mode": "weight_only_ptq", "default_layer_dtype": "q8_0",
                                             "layers": [{"module_name": "*", "weights": {"dtype": "native"}}]}}))
    return converted(folder, target, "-c", spec)


def transformers_says(model, tokenizer, prompts):
    """The likeliest next token of each prompt, and how far its logit is above the next one, as a part of the logits' deviation."""
    said, margins = [], []
    for prompt in prompts:
        ids = tokenizer(prompt)["input_ids"] if tokenizer else [1] + [3 + CHARACTERS.index(character) for character in prompt]
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, -1]
        (first, second), (token, _) = (found.tolist() for found in logits.topk(2))
        said.append(tokenizer.decode([token]) if tokenizer else CHARACTERS[token - 3] if 3 <= token < 255 else "")
        margins.append((first - second) / float(logits.std()))
    return said, np.array(margins)


def compare_next_tokens(checks, name, model, tokenizer, target, root):
    random = np.random.default_rng(8)
    text = (ROOT / "docs/concepts.md").read_text().replace("\n", " ")
    prompts = [f"{text[at:at + 40].strip()} {random.choice(list('abcdefghijklmnopqrstuvwxyz'))}" for at in random.integers(0, 3000, PROMPTS)] if tokenizer else \
        ["".join(random.choice(CHARACTERS, 12)) for _ in range(PROMPTS)]
    expected, margins = transformers_says(model, tokenizer, prompts)
    said = next_tokens(target, prompts, root)
    decided = margins >= MARGIN
    wrong = [(a, b, round(float(margin), 3)) for a, b, margin in zip(said, expected, margins, strict=True)
             if margin >= MARGIN and a.strip() != b.replace("\n", "\\n").strip()]
    different = len({token for token, is_decided in zip(expected, decided) if is_decided})
    checks.that(f"{name}: llama.cpp says the next tokens that transformers says, {different} different ones of {decided.sum()} prompts",
                not wrong and decided.mean() >= DECIDED and different >= 20, str(wrong))


checks = Checks()
with tempfile.TemporaryDirectory(prefix="kvant-interop-") as temporary:
    root = Path(temporary)
    for name in (sys.argv[1:] or NETWORKS):
        with checks.group(name):
            folder = root / name
            folder.mkdir()
            model, tokenizer = made(folder, name)
            target = converted(folder, root / f"{name}-q8_0", "--backend", "gguf", "--dtype", "q8_0")
            compare_tensors(checks, name, folder, target)
            if NETWORKS[name][3] == "bytes":
                compare_vocabulary(checks, name, folder, target)
            if NETWORKS[name][4]:
                target = converted_without_blocks(folder, root / f"{name}-float32")
                compare_tensors(checks, name, folder, target)
                compare_next_tokens(checks, name, model, tokenizer, target, root)
    with checks.group("an unknown network"):
        unknown = root / "unknown"
        transformers.GPT2Model(transformers.GPT2Config(n_embd=32, n_layer=1, n_head=2, vocab_size=64)).save_pretrained(unknown)
        run = kvant("quantize", unknown, "--backend", "gguf", "--out", root / "none")
        checks.that("an unknown network is refused with the known ones", run.code == 1 and "gpt2" in run.said and "llama" in run.said, run.said)
checks.end()
