package dev.kvant.examples.springai;

import java.nio.file.Path;
import org.springframework.ai.transformers.TransformersEmbeddingModel;

/** The encoder, as an application with Spring AI loads it. */
public final class Encoders {

  private Encoders() {}

  /**
   * An encoder from files.
   *
   * @param model an ONNX file, of the original or that Kvant wrote
   * @param tokenizer the model's {@code tokenizer.json}
   * @throws Exception if a file cannot be loaded
   */
  public static TransformersEmbeddingModel of(Path model, Path tokenizer) throws Exception {
    TransformersEmbeddingModel encoder = new TransformersEmbeddingModel();
    encoder.setModelResource(model.toUri().toString());
    encoder.setTokenizerResource(tokenizer.toUri().toString());
    // LangChain4j's export of the model has this name; Spring AI expects last_hidden_state
    // otherwise.
    encoder.setModelOutputName("output_0");
    encoder.setDisableCaching(true);
    encoder.afterPropertiesSet();
    return encoder;
  }
}
