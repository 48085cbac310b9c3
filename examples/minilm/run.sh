#!/bin/sh
# Builds and runs the example: examples/minilm/run.sh [minmax|mse|percentile|entropy]
set -e
cd "$(dirname "$0")/../.."
mvn -B -q -ntp -Pexamples -pl examples/minilm -am -Dmaven.test.skip=true package
exec java -cp "examples/minilm/target/classes:examples/minilm/target/lib/*" dev.kvant.examples.minilm.MiniLm "$@"
