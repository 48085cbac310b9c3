#!/usr/bin/env bash
# The whole command, from the shell's prompt to the artifact on the disk: alternating runs of Kvant and of Python with torchao.
#   benchmarks/compare-command.sh [int8|fp8_e4m3fn] [RUNS]      (default: int8 5)
# Python: $KVANT_PEERS_PYTHON, a torch 2.15 with torchao 0.18 and transformers.
set -euo pipefail
cd "$(dirname "$0")/.."
dtype=${1:-int8} runs=${2:-5}
python=${KVANT_PEERS_PYTHON:?set it to the interpreter that has torch, torchao and transformers}
data=benchmarks/data/minilm
[ -e "$data/minilm.pth" ] || "$python" -W ignore benchmarks/peers/make_minilm.py "$data" >&2
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

kvant() { ./kvant quantize -c "benchmarks/specs/linear-$dtype.yaml" --model "$data/minilm.pth" --out "$out/kvant"; }
script() { "$python" benchmarks/peers/torchao_script.py "$data/minilm.pth" "$out/script.pth" "$dtype"; }
tensors() { "$python" benchmarks/peers/torchao_tensors_script.py "$data/minilm.pth" "$out/tensors.pth" "$dtype"; }

timed() { # NAME: appends the run's seconds to a file of that name
  local begin=$EPOCHREALTIME
  "$1" >"$out/$1.log" 2>&1 || { cat "$out/$1.log" >&2; exit 1; }
  awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", b - a }' >>"$out/$1.seconds"
}

median() { sort -n "$out/$1.seconds" | awk '{ s[NR] = $1 } END { print (NR % 2 ? s[(NR + 1) / 2] : (s[NR / 2] + s[NR / 2 + 1]) / 2) }'; }

# One run without measuring: Kvant may have to build itself, and all files are in the disk's cache afterwards.
for each in kvant script tensors; do "$each" >"$out/$each.log" 2>&1 || { cat "$out/$each.log" >&2; exit 1; }; done
for ((run = 1; run <= runs; run++)); do
  for each in kvant script tensors; do timed "$each"; done
done

"$python" -W ignore interop/same_state.py "$out/script.pth" "$out/kvant/quantized_model_torchao.pth"
mine=$(median kvant)
echo
echo "MiniLM checkpoint (91 MB) to $dtype artifact, medians of $runs alternating runs, $(nproc) cores, $(java -version 2>&1 | head -1)"
printf '| %-50s | %8s | %6s | %s |\n' command seconds times runs '---' '---:' '---:' '---'
for each in kvant script tensors; do
  case $each in
    kvant) name="kvant quantize" ;;
    script) name="Python: build the network, load, quantize_, save" ;;
    tensors) name="Python: tensors only, no network" ;;
  esac
  seconds=$(median "$each")
  times=$(awk -v a="$seconds" -v b="$mine" 'BEGIN { printf "%.1f", a / b }')
  printf '| %-50s | %8.2f | %6s | %s |\n' "$name" "$seconds" "$times" "$(paste -sd' ' "$out/$each.seconds")"
done
