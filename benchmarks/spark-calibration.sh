#!/usr/bin/env bash
# Entropy calibration of the MiniLM encoder on 1,024 texts of 64 tokens: one process with one thread, and Spark with 1, 2 and 4 executors of
# one core each, in alternating runs. Prints seconds, and processor seconds of the busiest process and of all; fails if statistics differ.
#   benchmarks/spark-calibration.sh [RUNS]      (default: 3)
# Python: $KVANT_PEERS_PYTHON, an onnxruntime 1.32 with onnx and tokenizers, which makes the texts.
set -euo pipefail
cd "$(dirname "$0")/.."
. benchmarks/peers/minilm-onnx.sh
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
export SPARK_HOME=$out/spark

module=integrations/spark
"${MVN:-mvn}" -q -B -ntp -Pspark -pl $module -am -DskipTests package dependency:build-classpath -Dmdep.outputFile=target/classpath >&2
class_path=$module/target/classes:$(cat $module/target/classpath)
javac -proc:none -cp "$class_path" -d "$out/classes" benchmarks/spark/Speed.java
# The packages that Spark opens for its executors, as for the module's tests.
read -ra opens < <(sed -n 's|.*<spark.options>\(.*\)</spark.options>.*|\1|p' $module/pom.xml)

printf '%s processors, load %s\n' "$(nproc)" "$(cut -d' ' -f1-3 /proc/loadavg)"
printf '%-10s%10s%16s%10s%8s\n' executors seconds 'busiest, CPU s' 'all, CPU s' load
for ((run = 1; run <= ${1:-3}; run++)); do
  for executors in 0 1 2 4; do
    line=$(java "${opens[@]}" -cp "$class_path:$out/classes" Speed $executors "$data/minilm.onnx" benchmarks/specs/minilm-spark.yaml \
      "$data/full-1024.npz" "$out/$executors.statistics" 2>"$out/log" | tail -1) || { tail -20 "$out/log" >&2; exit 1; }
    read -r seconds busiest all same <<<"$line"
    printf '%-10s%10s%16s%10s%8s\n' $executors "$seconds" "$busiest" "$all" "$(cut -d' ' -f1 /proc/loadavg)"
    if [[ $executors == 0 ]]; then
      expected=$same
    elif [[ $same != "$expected" ]]; then
      echo "error: the statistics of $executors executors are not those of one process" >&2
      exit 1
    fi
  done
done
