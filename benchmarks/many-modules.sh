#!/usr/bin/env bash
# ONNX graphs of many modules: seconds of processor time that inspect, plan and quantize take.
#   benchmarks/many-modules.sh [MODULES ...]      (default: 10000 20000 40000 100000)
# Python: $KVANT_PEERS_PYTHON, an interpreter with onnx and numpy.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- 10000 20000 40000 100000
python=${KVANT_PEERS_PYTHON:?set it to the interpreter that has onnx}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

seconds() { # ARGUMENT ...: those of a run of kvant
  local TIMEFORMAT='%U %S'
  { time ./kvant "$@" >"$out/log" 2>&1 || { cat "$out/log" >&2; exit 1; }; } 2>&1 | awk '{ printf "%.1f", $1 + $2 }'
}

./kvant --version >"$out/log"
printf '| modules | inspect | plan | quantize |\n|---:|---:|---:|---:|\n'
for modules; do
  "$python" benchmarks/peers/make_chain.py "$modules" "$out/$modules.onnx"
  cat >"$out/spec.yaml" <<SPEC
quantize:
  backend: onnx
  mode: weight_only_ptq
  model_path: $out/$modules.onnx
  results_dir: $out/results
  verify: { enabled: false }
  layers:
    - module_name: '*'
      weights: { dtype: int8 }
SPEC
  printf '| %d | %s s | %s s | %s s |\n' "$modules" "$(seconds inspect "$out/$modules.onnx")" \
    "$(seconds plan -c "$out/spec.yaml")" "$(seconds quantize -c "$out/spec.yaml")"
done
