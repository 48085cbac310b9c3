package dev.kvant.examples.minilm;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.spi.ModelRunner;
import java.util.LinkedHashMap;
import java.util.Map;

/** Turns texts into embeddings: the mean of what the model gives for each token, of length 1. */
final class SentenceEncoder {

  private final HuggingFaceTokenizer tokenizer;

  SentenceEncoder(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** A text as the model's inputs. */
  TensorBatch tokens(String text) {
    Encoding encoding = tokenizer.encode(text);
    long[] ids = encoding.getIds();
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    inputs.put("input_ids", Tensor.ofLongs(ids, 1, ids.length));
    inputs.put("attention_mask", Tensor.ofLongs(encoding.getAttentionMask(), 1, ids.length));
    inputs.put("token_type_ids", Tensor.ofLongs(encoding.getTypeIds(), 1, ids.length));
    return new TensorBatch(inputs);
  }

  /** The embedding of a text by a model. */
  float[] embed(ModelRunner model, String text) {
    Tensor tokens = model.run(tokens(text)).values().iterator().next();
    float[] values = tokens.toFloats();
    int width = Math.toIntExact(tokens.shape().get(2));
    float[] mean = new float[width];
    for (int i = 0; i < values.length; i++) {
      mean[i % width] += values[i];
    }
    double length = 0;
    for (float value : mean) {
      length += (double) value * value;
    }
    for (int i = 0; i < width; i++) {
      mean[i] /= (float) Math.sqrt(length);
    }
    return mean;
  }
}
