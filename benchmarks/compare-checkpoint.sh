#!/usr/bin/env bash
# Quantizes a bfloat16 checkpoint or a float16 GGUF file of 4 GB for serving engines, and copies it with cp, in turns: seconds, speed relative to
# cp, processor time, memory.
#   benchmarks/compare-checkpoint.sh [SCHEME ...]      (default: fp8 w8a8 w4a16; also w4a16-mse)
#   CHECKPOINT=model.gguf benchmarks/compare-checkpoint.sh [DTYPE ...]      (default: q8_0 q4_0 q4_k; also other dtypes of the backend gguf)
#
#   CHECKPOINT   a folder or a GGUF file, benchmarks/data/checkpoint-4gb by default, made if it is not there; GIGABYTES says how large
#   KVANT        the command, ./kvant by default
#   ROUNDS       3 by default; the fastest of each counts
# Both end when the files are on the disk: Kvant syncs what it writes, and a sync follows cp.
# Anonymous memory (RssAnon) is what the process needs; the system can reclaim pages of mapped files.
set -euo pipefail
cd "$(dirname "$0")/.."
checkpoint=${CHECKPOINT:-benchmarks/data/checkpoint-4gb}
if [[ $checkpoint == *.gguf ]]; then
  [ $# -gt 0 ] || set -- q8_0 q4_0 q4_k
else
  [ $# -gt 0 ] || set -- fp8 w8a8 w4a16
fi
kvant=${KVANT:-./kvant}
rounds=${ROUNDS:-3}
if [[ $checkpoint == *.gguf ]]; then
  [ -e "$checkpoint" ] || "${KVANT_PEERS_PYTHON:-python3}" benchmarks/peers/make_gguf.py "$checkpoint" "${GIGABYTES:-4}" >&2
elif [ ! -e "$checkpoint/model.safetensors.index.json" ]; then
  "${KVANT_PEERS_PYTHON:-python3}" benchmarks/peers/make_sharded.py "$checkpoint" "${GIGABYTES:-4}" bfloat16 >&2
fi
[[ $checkpoint == *.gguf || -e "$checkpoint/config.json" ]] || echo '{"architectures": ["LlamaForCausalLM"]}' >"$checkpoint/config.json"
out=$(mktemp -d "${TMPDIR:-/tmp}/kvant-checkpoint.XXXXXX")
trap 'rm -rf "$out"' EXIT
"$kvant" --version >/dev/null 2>&1 # builds if it must, which is not measured

spec() {
  local mode=dynamic_ptq dtype=int8 activations algorithm=minmax
  case $1 in
    fp8) dtype=fp8_e4m3fn ;;
    w8a8) ;;
    w4a16) mode=weight_only_ptq dtype=int4 ;;
    w4a16-mse) mode=weight_only_ptq dtype=int4 algorithm=mse ;;
    q*) echo "quantize: {backend: gguf, mode: weight_only_ptq, default_layer_dtype: $1}" && return ;;
    *) echo "unknown scheme $1" >&2; exit 2 ;;
  esac
  activations=$dtype
  [ $mode = dynamic_ptq ] || activations=native
  echo "quantize: {backend: compressed-tensors, mode: $mode, default_layer_dtype: $dtype, default_activation_dtype: $activations," \
    "algorithm: $algorithm}"
}

seconds() { # runs a command, prints its seconds, its peak of RssAnon in kB, and its seconds of processor time, to 0.1
  local begin=$EPOCHREALTIME peak=0 processor=0 anonymous process
  "$@" >"$out/log" 2>&1 &
  process=$!
  while kill -0 $process 2>/dev/null; do
    anonymous=$(awk '/^RssAnon/ { print $2 }' /proc/$process/status 2>/dev/null || true)
    [ "${anonymous:-0}" -gt $peak ] && peak=$anonymous
    processor=$(awk '{ print $14 + $15 + $16 + $17 }' /proc/$process/stat 2>/dev/null || echo "$processor")
    sleep 0.1
  done
  wait $process || { cat "$out/log" >&2; exit 1; }
  awk -v b="$begin" -v e="$EPOCHREALTIME" -v p="$peak" -v u="${processor:-0}" -v h="$(getconf CLK_TCK)" \
    'BEGIN { printf "%.2f %d %.1f\n", e - b, p, u / h }'
}

# shellcheck disable=SC2317
copy() {
  cp -rL "$checkpoint" "$out/copy" && find "$out/copy" -type f -exec sync {} +
}

# cp is quicker from the second time on, when the source is in the page cache.
find -L "$checkpoint" -type f -exec cat {} + >/dev/null
for round in $(seq "$rounds"); do
  echo "round $round of $rounds" >&2
  seconds copy >>"$out/cp"
  rm -rf "$out/copy"
  for scheme in "$@"; do
    spec "$scheme" >"$out/spec.yaml"
    seconds "$kvant" quantize -c "$out/spec.yaml" --model "$checkpoint" --out "$out/kvant" >>"$out/$scheme"
    du -sb "$out/kvant" | cut -f1 >"$out/$scheme.size"
    rm -rf "$out/kvant"
  done
done

fastest() { sort -n "$1" | awk 'NR == 1 { print $1 }'; }
least() { sort -n -k 3 "$1" | awk 'NR == 1 { print $3 }'; }
size=$(du -sbL "$checkpoint" | cut -f1)
cp_seconds=$(fastest "$out/cp")
echo "$(awk -F ': ' '/^model name/ { print $2; exit }' /proc/cpuinfo), $(nproc) cores, $(java -version 2>&1 | head -1), best of $rounds"
echo "| | written | seconds | GB/s of the source | speed of cp | processor seconds | RssAnon at most |"
echo "|---|---:|---:|---:|---:|---:|---:|"
awk -v s="$size" -v t="$cp_seconds" -v u="$(least "$out/cp")" \
  'BEGIN { printf "| cp and sync | %.2f GB | %.1f | %.2f | 1 | %.1f | |\n", s / 1e9, t, s / 1e9 / t, u }'
for scheme in "$@"; do
  peak=$(awk '$2 > p { p = $2 } END { print p }' "$out/$scheme")
  awk -v n="$scheme" -v s="$size" -v w="$(cat "$out/$scheme.size")" -v c="$cp_seconds" -v t="$(fastest "$out/$scheme")" -v p="$peak" \
    -v u="$(least "$out/$scheme")" \
    'BEGIN { printf "| %s | %.2f GB | %.1f | %.2f | %.2f | %.1f | %.0f MB |\n", n, w / 1e9, t, s / 1e9 / t, c / t, u, p * 1024 / 1e6 }'
done
