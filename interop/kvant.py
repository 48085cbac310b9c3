"""Runs Kvant as anybody would, and counts what held and what did not."""
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIGITS = ROOT / "examples/digits"
MODELS = ROOT / "formats/torch/src/test/resources/models"
CHECKPOINT = "quantized_model_torchao.pth"
RUNNABLE = "quantized_model_torchao.pt"

sys.path[:0] = [str(ROOT / "interop/models"), str(DIGITS)]


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str

    @property
    def said(self):
        return self.out + self.err


def kvant(*arguments, cwd=ROOT):
    # The models are so small that most of a run is Java's start, which its second compiler only delays.
    environment = {"KVANT_JAVA_OPTS": "-XX:TieredStopAtLevel=1", **os.environ, "NO_COLOR": "1"}
    done = subprocess.run([str(ROOT / "kvant"), *map(str, arguments)], cwd=cwd, env=environment, capture_output=True, text=True)
    return Run(done.returncode, done.stdout, done.stderr)


def spec(rules, path, **settings):
    """A document with one rule for each (pattern, dtype), written as JSON, which is YAML too."""
    layers = [{"module_name": pattern, "weights": {"dtype": dtype}} for pattern, dtype in rules]
    section = {"backend": "torchao", "mode": "weight_only_ptq", "layers": layers, **settings}
    path.write_text(json.dumps({"quantize": section}))
    return path


@contextlib.contextmanager
def quantized(model, rules, **settings):
    """The folder that `kvant quantize` filled, for as long as it is looked at.

    Checks that run together share what they ask of the repository's own models: $KVANT_INTEROP_OUTPUTS keeps it for them.
    """
    shared = os.environ.get("KVANT_INTEROP_OUTPUTS")
    if shared and Path(model).is_relative_to(ROOT):
        asked = json.dumps([str(model), rules, settings])
        folder = Path(shared) / hashlib.sha256(asked.encode()).hexdigest()
        if not (folder / "out").exists():
            fill(folder, model, rules, settings)
        yield folder / "out"
        return
    with tempfile.TemporaryDirectory(prefix="kvant-interop-") as folder:
        fill(Path(folder), model, rules, settings)
        yield Path(folder) / "out"


def fill(folder, model, rules, settings):
    folder.mkdir(exist_ok=True)
    run = kvant("quantize", "-c", spec(rules, folder / "spec.yaml", **settings), "--model", model, "--out", folder / "out")
    if run.code != 0:
        raise RuntimeError(f"kvant quantize {model} ended with {run.code}:\n{run.said}")


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def that(self, name, holds, detail=""):
        if holds:
            self.passed += 1
            print(f"ok    {name}", flush=True)
        else:
            self.failed += 1
            print(f"FAIL  {name}" + (f": {detail}" if detail else ""), flush=True)

    @contextlib.contextmanager
    def group(self, name):
        """An exception in here is one check that failed; the checks behind the group still run."""
        try:
            yield
        except Exception as problem:
            self.that(name, False, f"{type(problem).__name__}: {problem}")

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed or not self.passed else 0)
