#!/bin/sh
# Prints size, similarity and processor time of float32, LangChain4j's -q and Kvant's model.
set -e
cd "$(dirname "$0")"
test -e target/kvant/quantized_model.onnx || {
  echo "build it first: mvn -Pexamples -pl examples/clients/langchain4j -am -DskipTests package" >&2
  exit 1
}
exec java -cp "target/classes:target/lib/*" dev.kvant.examples.langchain4j.Compare \
  target/kvant/quantized_model.onnx target/model ../../minilm/src/main/resources/sentences.txt
