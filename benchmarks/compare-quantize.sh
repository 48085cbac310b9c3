#!/usr/bin/env bash
# Quantizes a 4096x4096 float32 matrix with Kvant and with torchao, in process, on 2 threads, and
# prints the medians and their ratio. Runs alternate, so that both see the same noise.
#
#   KVANT_PEERS_PYTHON  interpreter that has torchao 0.18, required
#   JAVA_HOME           JDK 17; without it, java of the PATH
#   JAVA25_HOME         JDK 25; without it, a folder beside JAVA_HOME with 25 in its name, if any
#   MVN                 Maven's command, mvn by default
#   ROUNDS, SECONDS_PER_TURN   3 turns of 4 s for each type by default
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${KVANT_PEERS_PYTHON:?Set KVANT_PEERS_PYTHON to a Python interpreter that has torchao 0.18}
rounds=${ROUNDS:-3}
seconds=${SECONDS_PER_TURN:-4}
rows=4096
columns=4096
threads=2

java17_home=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}
java25_home=${JAVA25_HOME:-$(find "$(dirname "$java17_home")" -maxdepth 1 -name '*25*' | head -n 1)}

"${MVN:-mvn}" -q -B -f "$here/../pom.xml" -pl benchmarks -am package -DskipTests \
  dependency:build-classpath -Dmdep.outputFile=target/classpath -Dmdep.includeScope=runtime
classpath="$here/target/classes:$(cat "$here/target/classpath")"

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# Runs a command and shows what it wrote to standard error only if it fails.
quietly() {
  "$@" 2>"$results/stderr" || { cat "$results/stderr" >&2; exit 1; }
}

# Both turns write one line for each call, in seconds.
torchao() {
  quietly "$python" "$here/peers/quantize_matrix.py" "$1" $rows $columns "$seconds" $threads \
    >>"$results/$1.torchao"
}

# kvant NAME JAVA_HOME CODES: a call is an iteration of JMH; the first ones only warm up.
kvant() {
  quietly "$2/bin/java" -cp "$classpath" org.openjdk.jmh.Main \
    QuantizeMatrixBenchmark.quantizeRows -bm ss -tu s -f 1 -wi 100 -i 200 -foe true \
    -p codes="${3^^}" -p rows=$rows -p columns=$columns -p threads=$threads \
    -rf json -rff "$results/jmh.json" >"$results/jmh.log"
  "$python" -c 'import json, sys
for seconds in json.load(open(sys.argv[1]))[0]["primaryMetric"]["rawData"][0]: print(seconds)' \
    "$results/jmh.json" >>"$results/$3.$1"
}

for round in $(seq "$rounds"); do
  for codes in int8 float8_e4m3fn float8_e5m2; do
    echo "round $round of $rounds: $codes" >&2
    torchao $codes
    kvant kvant17 "$java17_home" $codes
    if [ -n "$java25_home" ]; then
      kvant kvant25 "$java25_home" $codes
    fi
  done
done

version() {
  "$1/bin/java" -version 2>&1 | head -n 1
}
echo "kvant17: $(version "$java17_home")"
if [ -n "$java25_home" ]; then
  echo "kvant25: $(version "$java25_home")"
fi
"$python" - "$results" $((rows * columns * 4)) <<'PYTHON'
import statistics
import sys
from importlib.metadata import version
from pathlib import Path

results, source_bytes = Path(sys.argv[1]), int(sys.argv[2])
print(f"torchao {version('torchao')}, torch {version('torch')}")
print(f"{'codes':<15}{'what':<10}{'median ms':>10}{'GB/s':>8}{'calls':>7}{'ratio':>8}")
for codes in ("int8", "float8_e4m3fn", "float8_e5m2"):
    peer = None
    for name in ("torchao", "kvant17", "kvant25"):
        path = results / f"{codes}.{name}"
        if not path.exists():
            continue
        times = [float(line) for line in path.read_text().split()]
        median = statistics.median(times)
        peer = peer or median
        speed = source_bytes / median / 1e9
        print(f"{codes:<15}{name:<10}{median * 1e3:>10.1f}{speed:>8.2f}{len(times):>7}{peer / median:>8.1f}")
PYTHON
