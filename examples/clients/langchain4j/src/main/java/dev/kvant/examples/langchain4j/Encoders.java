package dev.kvant.examples.langchain4j;

import dev.langchain4j.model.embedding.onnx.OnnxEmbeddingModel;
import dev.langchain4j.model.embedding.onnx.PoolingMode;
import java.nio.file.Path;

/** The encoder in its three forms, as an application with LangChain4j loads them. */
public final class Encoders {

  private Encoders() {}

  /** The float32 model of LangChain4j. */
  public static OnnxEmbeddingModel original(Path models) {
    return encoder(models.resolve("all-minilm-l6-v2.onnx"), models);
  }

  /** The quantized model that LangChain4j ships. */
  public static OnnxEmbeddingModel shipped(Path models) {
    return encoder(models.resolve("all-minilm-l6-v2-q.onnx"), models);
  }

  /**
   * A model that Kvant wrote.
   *
   * @param artifact its file
   * @param models the folder with the tokenizer
   */
  public static OnnxEmbeddingModel quantized(Path artifact, Path models) {
    return encoder(artifact, models);
  }

  private static OnnxEmbeddingModel encoder(Path model, Path models) {
    return new OnnxEmbeddingModel(
        model, models.resolve("all-minilm-l6-v2-tokenizer.json"), PoolingMode.MEAN);
  }
}
