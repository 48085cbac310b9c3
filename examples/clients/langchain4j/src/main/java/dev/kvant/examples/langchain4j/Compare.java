package dev.kvant.examples.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.model.embedding.onnx.OnnxEmbeddingModel;
import dev.langchain4j.store.embedding.CosineSimilarity;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Prints size, similarity to float32 and processor time of the three forms. */
public final class Compare {

  private static final PrintStream OUT = System.out;
  private static final int ROUNDS = 5;
  private static final double MILLION = 1e6;

  private Compare() {}

  /**
   * Compares them.
   *
   * @param arguments the artifact, the folder of the models, a file with a text on each line
   */
  public static void main(String... arguments) throws IOException {
    Path artifact = Path.of(arguments[0]);
    Path models = Path.of(arguments[1]);
    List<String> texts = Files.readAllLines(Path.of(arguments[2]));
    List<OnnxEmbeddingModel> encoders =
        List.of(
            Encoders.original(models),
            Encoders.shipped(models),
            Encoders.quantized(artifact, models));
    List<String> names = List.of("float32", "shipped -q", "Kvant");
    List<Path> files =
        List.of(
            models.resolve("all-minilm-l6-v2.onnx"),
            models.resolve("all-minilm-l6-v2-q.onnx"),
            artifact);
    List<Embedding> reference = embeddings(encoders.get(0), texts);
    double[] time = processorTimes(encoders, texts);
    OUT.println("model          MB     cosine mean  min      ms per text");
    for (int i = 0; i < encoders.size(); i++) {
      double[] cosines = cosines(reference, embeddings(encoders.get(i), texts));
      OUT.printf(
          Locale.ROOT,
          "%-12s %6.1f  %.4f       %.4f  %6.2f%n",
          names.get(i),
          Files.size(files.get(i)) / MILLION,
          cosines[0],
          cosines[1],
          time[i] / MILLION / texts.size());
    }
  }

  /** The embedding of each text, one text at a time. */
  static List<Embedding> embeddings(OnnxEmbeddingModel encoder, List<String> texts) {
    List<Embedding> embeddings = new ArrayList<>();
    for (String text : texts) {
      embeddings.add(encoder.embed(text).content());
    }
    return embeddings;
  }

  /** The mean and the minimum cosine similarity. */
  static double[] cosines(List<Embedding> reference, List<Embedding> embeddings) {
    double sum = 0;
    double minimum = 1;
    for (int i = 0; i < reference.size(); i++) {
      double cosine = CosineSimilarity.between(reference.get(i), embeddings.get(i));
      sum += cosine;
      minimum = Math.min(minimum, cosine);
    }
    return new double[] {sum / reference.size(), minimum};
  }

  /** Nanoseconds of processor time for all texts: the best of several rounds, in turns. */
  private static double[] processorTimes(List<OnnxEmbeddingModel> encoders, List<String> texts) {
    double[] best = new double[encoders.size()];
    for (int round = 0; round < ROUNDS; round++) {
      for (int i = 0; i < encoders.size(); i++) {
        long before = processorTime();
        embeddings(encoders.get(i), texts);
        double spent = processorTime() - before;
        best[i] = round == 0 ? spent : Math.min(best[i], spent);
      }
    }
    return best;
  }

  private static long processorTime() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }
}
