#!/usr/bin/env bash
# Many quantizations in one process: heap, native memory, threads and open files, which must not grow.
#   benchmarks/soak.sh [RUNS]      (default: 500)
set -euo pipefail
cd "$(dirname "$0")/.."
"${MVN:-mvn}" -q -B -pl benchmarks -am package -DskipTests \
  dependency:build-classpath -Dmdep.outputFile=target/classpath -Dmdep.includeScope=runtime >&2
exec java -Xmx256m -Dorg.slf4j.simpleLogger.defaultLogLevel=off \
  -cp "benchmarks/target/classes:$(cat benchmarks/target/classpath)" dev.kvant.benchmarks.Soak "$@"
