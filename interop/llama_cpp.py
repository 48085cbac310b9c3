"""llama.cpp in a JVM, through de.kherud:llama."""
import subprocess
from pathlib import Path

from kvant import ROOT

LLAMA = "de.kherud:llama:4.1.0"
JARS = ["de/kherud/llama/4.1.0/llama-4.1.0.jar", "org/jetbrains/annotations/24.1.0/annotations-24.1.0.jar"]
# The library needs some seconds. It said wrong tokens in 2 of some 20 runs, of files that were right to the byte, and waited for ever in
# another one: so what it says counts once it has said it twice.
RUNS = 5
TIMEOUT = 60


def class_path():
    jars = [Path.home() / ".m2/repository" / jar for jar in JARS]
    if not all(jar.exists() for jar in jars):
        subprocess.run(["mvn", "-q", "-B", "dependency:get", f"-Dartifact={LLAMA}"], check=True, capture_output=True)
    return ":".join(map(str, jars))


def next_tokens(model, prompts, folder):
    """The likeliest next token of each prompt, with line feeds as \\n."""
    file, out = folder / "prompts", folder / "tokens"
    file.write_text("\n".join(prompts))
    command = ["java", "-cp", class_path(), str(ROOT / "interop/NextTokens.java"), str(model), str(file), str(out)]
    answers = []
    for _ in range(RUNS):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            continue
        if done.returncode:
            raise RuntimeError(done.stderr[-500:])
        said = out.read_text().split("\n")[:-1]
        if said in answers:
            return said
        answers.append(said)
    raise RuntimeError(f"{RUNS} runs of llama.cpp gave {len(answers)} different answers")
