"""Writes what Python's fnmatchcase says of patterns and names, for the tests of the api module.

    python interop/golden/fnmatch_cases.py > api/src/test/resources/golden/fnmatch.tsv

Columns: pattern, name, 1 if it matches. Sets with oddities are overrepresented: that is where implementations differ.
"""

import random
from fnmatch import fnmatchcase

random.seed(20)

WRITTEN = [
    ("*", "encoder.layers.0"), ("*", "x"), ("encoder.*", "encoder.layers.0.linear1"), ("encoder.*", "encoder"),
    ("*.linear?", "encoder.layers.0.linear1"), ("*.linear?", "linear1"), ("Linear", "linear"), ("Conv?d", "Conv2d"),
    ("*norm*", "layers.0.norm1"), ("layers.[0-3].fc", "layers.2.fc"), ("layers.[!0-3].fc", "layers.2.fc"),
    ("a[]]b", "a]b"), ("a[!]]b", "a]b"), ("a[!]]b", "axb"), ("a[", "a["), ("a[b", "a[b"), ("a[]", "a[]"), ("[!]", "[!]"),
    ("[a-c-e]", "-"), ("[a-c-e]", "d"), ("[c-a]", "b"), ("[!c-a]", "b"), ("[--0]", "."), ("[a-]", "-"), ("[-a]", "-"),
    ("[^a]", "^"), ("[^a]", "b"), ("[\\a]", "\\"), ("a\\*", "a\\b"), ("a.b", "axb"), ("(a|b)", "a"), ("a+", "aa"), ("$", "$"),
    ("[[]", "["), ("[a&&b]", "&"), ("[a~~b]", "~"), ("[a||b]", "|"), ("[]-a]", "^"), ("[]-a]", "]"), ("**", "a"), ("a**b", "ab"),
    ("?", "\U0001f600"), ("[\U0001f600-\U0001f610]", "\U0001f605"), ("\u00e4*", "\u00e4b"), ("*\\", "a\\"), ("[!a-c]*", "d"),
]

PIECES = ["*", "?", "[", "]", "[!", "-", "a", "b", "c", ".", "^", "\\", "&&", "a-c", "c-a", "--", "[ab]", "[!ab]", "[a-c]"]
LETTERS = "abc.[]!-^\\&"


def text(pieces, most):
    return "".join(random.choice(pieces) for _ in range(random.randint(1, most)))


def near(pattern):
    """A name that the pattern may well match."""
    return "".join(
        text(LETTERS, 3) if c == "*" else random.choice(LETTERS) if c == "?" else c
        for c in pattern if c not in "[]!" or random.random() < 0.4
    ) or "a"


cases = list(WRITTEN)
while len(cases) < 3000:
    pattern = text(PIECES, 6)
    cases.append((pattern, near(pattern) if random.random() < 0.7 else text(LETTERS, 5)))
for pattern, name in cases:
    print(pattern, name, int(fnmatchcase(name, pattern)), sep="\t")
