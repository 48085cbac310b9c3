"""Writes a small tokenizer, texts, and their tokens, for the tests of readers/text.

    python make_text_golden.py ../../readers/text/src/test/resources/text

The expected values of the committed files are those of tokenizers 0.23.3.
"""

import json
import sys
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

TEXTS = [
    "The quick brown fox jumps over the lazy dog.",
    "Quick foxes",
    "A dog!",
    "The unknown ü word, and the end of the long sentence over the lazy dogs",
]
PAIRS = [
    ("The fox", "jumps over the dog."),
    ("A lazy dog jumps over the quick brown fox.", "The end"),
]
WORDS = "the quick brown fox ##es jumps over lazy dog ##s a and end of long sentence word . , !".split()


def tokenizer():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    # The padding token is not the first one, so that zeros are seen.
    vocabulary = {word: i for i, word in enumerate([special[1], special[2], special[3], special[0]] + WORDS)}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.add_special_tokens(special)
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    return made, vocabulary["[PAD]"]


def expected(made, texts):
    encodings = made.encode_batch(texts)
    return {
        "ids": [encoding.ids for encoding in encodings],
        "mask": [encoding.attention_mask for encoding in encodings],
        "types": [encoding.type_ids for encoding in encodings],
    }


def main(folder):
    made, pad = tokenizer()
    golden = {}
    for name, length, direction in [("longest", None, "right"), ("max_length", 10, "right"), ("left", None, "left")]:
        made.enable_truncation(10)
        made.enable_padding(direction=direction, pad_id=pad, pad_token="[PAD]", length=length)
        golden[name] = expected(made, TEXTS)
    made.enable_padding(pad_id=pad, pad_token="[PAD]")
    golden["pairs"] = expected(made, PAIRS)
    made.no_padding()
    made.no_truncation()
    golden["whole"] = expected(made, TEXTS[3:])
    (folder / "golden.json").write_text(json.dumps(golden) + "\n")

    made.save(str(folder / "bare.json"))
    made.enable_padding(direction="left", pad_id=pad, pad_token="[PAD]")
    made.save(str(folder / "left.json"))
    # As published encoders have it: what the file says of padding must not reach the samples.
    made.enable_truncation(10)
    made.enable_padding(pad_id=pad, pad_token="[PAD]", length=32)
    made.save(str(folder / "tokenizer.json"))
    (folder / "texts.txt").write_text("\n\n".join(TEXTS) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
