package dev.kvant.examples.springai;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtEnvironment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.springframework.ai.transformers.TransformersEmbeddingModel;

@DisplayName("Spring AI with the quantized MiniLM")
class EncodersTest {

  private static final double MEAN = 0.993;
  private static final double MINIMUM = 0.985;

  private static Path file(String property) {
    return Path.of(System.getProperty(property, ""));
  }

  private static double cosine(float[] one, float[] other) {
    double product = 0;
    double lengths = 0;
    double others = 0;
    for (int i = 0; i < one.length; i++) {
      product += (double) one[i] * other[i];
      lengths += (double) one[i] * one[i];
      others += (double) other[i] * other[i];
    }
    return product / Math.sqrt(lengths * others);
  }

  @Test
  void answers_as_float32_does() throws Exception {
    Path models = file("example.models");
    Path tokenizer = models.resolve("all-minilm-l6-v2-tokenizer.json");
    List<String> texts = Files.readAllLines(file("example.sentences"));
    TransformersEmbeddingModel original =
        Encoders.of(models.resolve("all-minilm-l6-v2.onnx"), tokenizer);
    TransformersEmbeddingModel quantized = Encoders.of(file("example.model"), tokenizer);

    double sum = 0;
    double minimum = 1;
    for (String text : texts) {
      double cosine = cosine(original.embed(text), quantized.embed(text));
      sum += cosine;
      minimum = Math.min(minimum, cosine);
    }

    assertThat(sum / texts.size()).isGreaterThan(MEAN);
    assertThat(minimum).isGreaterThan(MINIMUM);
  }

  @Test
  void runs_in_the_runtime_that_spring_ai_brings() {
    assertThat(OrtEnvironment.getEnvironment().getVersion()).isEqualTo("1.20.0");
  }
}
