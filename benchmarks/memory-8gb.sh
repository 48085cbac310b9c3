#!/usr/bin/env bash
# The maximum memory of Kvant for a checkpoint of 8 GB in shards, with a Java heap of 256 MB.
#   benchmarks/memory-8gb.sh [DTYPE] [HEAP]      (default: int8 256m; checkpoint: $CHECKPOINT or benchmarks/data/sharded-8gb)
# Anonymous memory (RssAnon) is what the process needs; the system can reclaim pages of mapped files (RssFile).
set -euo pipefail
cd "$(dirname "$0")/.."
dtype=${1:-int8} heap=${2:-256m}
checkpoint=${CHECKPOINT:-benchmarks/data/sharded-8gb}
if [ ! -e "$checkpoint/model.safetensors.index.json" ]; then
  "${KVANT_PEERS_PYTHON:-python3}" benchmarks/peers/make_sharded.py "$checkpoint" >&2
fi
out=$(mktemp -d "${TMPDIR:-/tmp}/kvant-memory.XXXXXX")
trap 'rm -rf "$out"' EXIT
./kvant --version >/dev/null 2>&1 # builds if it must, which is not measured

begin=$EPOCHREALTIME
KVANT_JAVA_OPTS="-Xmx$heap" ./kvant quantize -c "benchmarks/specs/linear-$dtype.yaml" --model "$checkpoint" --out "$out/kvant" \
  >"$out/log" 2>&1 &
root=$!

family() { # the process and all that it started
  local pid
  for pid in "$@"; do
    echo "$pid"
    # shellcheck disable=SC2046
    family $(cat /proc/"$pid"/task/*/children 2>/dev/null)
  done
}

peak_anonymous=0 peak_file=0 samples=0
while kill -0 "$root" 2>/dev/null; do
  read -r anonymous file < <(for pid in $(family "$root"); do cat /proc/"$pid"/status 2>/dev/null || true; done |
    awk '/^RssAnon/ { a += $2 } /^RssFile/ { f += $2 } END { print a + 0, f + 0 }')
  ((anonymous > peak_anonymous)) && peak_anonymous=$anonymous
  ((file > peak_file)) && peak_file=$file
  samples=$((samples + 1))
  sleep 0.1
done
wait "$root" || { cat "$out/log" >&2; exit 1; }

size=$(du -sbL "$checkpoint" | cut -f1)
written=$(du -sb "$out/kvant" | cut -f1)
echo "Peak memory, $dtype, heap $heap, $(nproc) cores, $(java -version 2>&1 | head -1), $samples samples"
awk -v a="$peak_anonymous" -v f="$peak_file" -v s="$size" -v w="$written" -v b="$begin" -v e="$EPOCHREALTIME" 'BEGIN {
  print "| checkpoint | artifact | RssAnon at most | RssFile at most | seconds |"
  print "| ---: | ---: | ---: | ---: | ---: |"
  printf "| %.2f GB | %.2f GB | %.0f MB | %.0f MB | %.1f |\n", s / 1e9, w / 1e9, a * 1024 / 1e6, f * 1024 / 1e6, e - b }'
