package dev.kvant.examples.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtEnvironment;
import dev.langchain4j.data.embedding.Embedding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("LangChain4j with the quantized MiniLM")
class EncodersTest {

  private static final double MEAN = 0.993;
  private static final double MINIMUM = 0.985;

  private static Path file(String property) {
    return Path.of(System.getProperty(property, ""));
  }

  private static double[] cosines(List<Embedding> reference, List<Embedding> embeddings) {
    return Compare.cosines(reference, embeddings);
  }

  @Test
  void answers_as_float32_does_and_nearer_than_the_model_that_is_shipped() throws IOException {
    Path models = file("example.models");
    List<String> texts = Files.readAllLines(file("example.sentences"));
    List<Embedding> reference = Compare.embeddings(Encoders.original(models), texts);

    double[] kvant =
        cosines(
            reference,
            Compare.embeddings(Encoders.quantized(file("example.model"), models), texts));
    double[] shipped = cosines(reference, Compare.embeddings(Encoders.shipped(models), texts));

    assertThat(texts).hasSize(80);
    assertThat(kvant[0]).isGreaterThan(MEAN).isGreaterThan(shipped[0]);
    assertThat(kvant[1]).isGreaterThan(MINIMUM).isGreaterThan(shipped[1]);
  }

  @Test
  void is_as_small_as_the_model_that_is_shipped_to_within_three_percent() throws IOException {
    assertThat(Files.size(file("example.model")))
        .isLessThan(
            (long) (1.03 * Files.size(file("example.models").resolve("all-minilm-l6-v2-q.onnx"))));
  }

  @Test
  void runs_in_the_runtime_that_langchain4j_brings() {
    assertThat(OrtEnvironment.getEnvironment().getVersion()).isEqualTo("1.20.0");
  }
}
