package dev.kvant.examples.minilm;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.Device;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.SavedModel;
import dev.kvant.runtime.Kvant;
import dev.kvant.spi.ModelRunner;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Quantizes all-MiniLM-L6-v2 and says what that cost and what it brought. */
public final class MiniLm {

  private static final Path RESULTS = Path.of("results", "minilm");
  private static final int ROUNDS = 5;

  private MiniLm() {}

  /** Runs the example; the only argument is the calibration algorithm, {@code mse} by default. */
  public static void main(String[] arguments) throws IOException {
    String algorithm = arguments.length == 0 ? "mse" : arguments[0];
    Files.createDirectories(RESULTS);
    Path model = RESULTS.resolve("all-minilm-l6-v2.onnx");
    try (InputStream source = resource("/all-minilm-l6-v2.onnx")) {
      Files.copy(source, model, StandardCopyOption.REPLACE_EXISTING);
    }
    try (InputStream source = resource("/all-minilm-l6-v2-tokenizer.json");
        HuggingFaceTokenizer tokenizer =
            HuggingFaceTokenizer.newInstance(source, Map.of("padding", "false"));
        Kvant kvant = Kvant.create()) {
      SentenceEncoder encoder = new SentenceEncoder(tokenizer);
      SavedModel saved = quantize(kvant, model, encoder, algorithm);
      compare(kvant, model, saved.artifacts().get(0).path(), encoder, System.out);
    }
  }

  private static SavedModel quantize(
      Kvant kvant, Path path, SentenceEncoder encoder, String algorithm) throws IOException {
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder()
            .backend("onnx")
            .mode(QuantizationMode.STATIC_PTQ)
            .algorithm(CalibrationAlgorithm.of(algorithm))
            .layer("Linear", Dtype.INT8, Dtype.INT8)
            .build();
    CalibrationDataset data =
        CalibrationDataset.of(lines("/calibration.txt").stream().map(encoder::tokens).toList());
    try (QuantizableModel model = kvant.load(path);
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      return quantizer.saveModel(quantizer.quantizeModel(model, data), RESULTS);
    }
  }

  private static void compare(
      Kvant kvant, Path before, Path after, SentenceEncoder encoder, PrintStream out)
      throws IOException {
    List<String> texts = lines("/sentences.txt");
    try (ModelRunner original = kvant.runner(before, Device.CPU);
        ModelRunner quantized = kvant.runner(after, Device.CPU)) {
      double[] cosines =
          texts.stream()
              .mapToDouble(
                  text -> product(encoder.embed(original, text), encoder.embed(quantized, text)))
              .toArray();
      out.printf(
          "cosine similarity of %d texts: mean %.4f, minimum %.4f%n",
          texts.size(),
          Arrays.stream(cosines).average().orElseThrow(),
          Arrays.stream(cosines).min().orElseThrow());
      List<Double> ratios = new ArrayList<>();
      for (int round = 0; round < ROUNDS; round++) {
        ratios.add(seconds(original, encoder, texts) / seconds(quantized, encoder, texts));
      }
      ratios.sort(null);
      out.printf("speed against float32: %.2f%n", ratios.get(ROUNDS / 2));
      out.printf("size: %.1f MB, was %.1f MB%n", Files.size(after) / 1e6, Files.size(before) / 1e6);
    }
  }

  private static double product(float[] some, float[] others) {
    double product = 0;
    for (int i = 0; i < some.length; i++) {
      product += (double) some[i] * others[i];
    }
    return product;
  }

  private static double seconds(ModelRunner model, SentenceEncoder encoder, List<String> texts) {
    long start = System.nanoTime();
    texts.forEach(text -> encoder.embed(model, text));
    return (System.nanoTime() - start) / 1e9;
  }

  private static InputStream resource(String name) {
    return Objects.requireNonNull(MiniLm.class.getResourceAsStream(name), name);
  }

  private static List<String> lines(String name) throws IOException {
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(resource(name), StandardCharsets.UTF_8))) {
      return reader.lines().toList();
    }
  }
}
