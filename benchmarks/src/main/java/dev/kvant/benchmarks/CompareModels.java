package dev.kvant.benchmarks;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Runs TorchScript models that take one float32 matrix, or tokens and their mask, through DJL, in
 * turns within one process, so that all see the same noise, and compares them with the first.
 *
 * <p>A turn is a burst of calls of one model, of which the first is not counted: it finds another
 * model's weights in the processor's caches.
 */
public final class CompareModels {

  private static final String TOKENS = "tokens";
  private static final int TURNS = 12;
  private static final int LEAST_CALLS = 4;
  private static final long TURN_NANOS = 250_000_000;

  private final String name;
  private final long bytes;
  private final Predictor<NDList, NDList> predictor;
  private final List<Long> nanos = new ArrayList<>();
  private float[] answer = {};

  private CompareModels(String name, long bytes, Predictor<NDList, NDList> predictor) {
    this.name = name;
    this.bytes = bytes;
    this.predictor = predictor;
  }

  /**
   * Compares models.
   *
   * @param arguments the columns of the input, as in {@code 384} or {@code tokens64}, the numbers
   *     of its rows with commas between, and the models as {@code NAME=FILE}
   */
  public static void main(String[] arguments)
      throws IOException, MalformedModelException, TranslateException {
    boolean areTokens = arguments[0].startsWith(TOKENS);
    int columns =
        Integer.parseInt(areTokens ? arguments[0].substring(TOKENS.length()) : arguments[0]);
    System.out.printf(
        Locale.ROOT,
        "| %-24s | %5s | %9s | %9s | %7s | %8s |%n|---|---:|---:|---:|---:|---:|%n",
        "model",
        "rows",
        "median ms",
        "least ms",
        "ratio",
        "rms off");
    for (String rows : arguments[1].split(",", -1)) {
      compare(
          Integer.parseInt(rows),
          columns,
          areTokens,
          Arrays.asList(arguments).subList(2, arguments.length));
    }
  }

  private static void compare(int rows, int columns, boolean areTokens, List<String> files)
      throws IOException, MalformedModelException, TranslateException {
    List<CompareModels> all = new ArrayList<>();
    List<Model> loaded = new ArrayList<>();
    try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
      for (String argument : files) {
        int equals = argument.indexOf('=');
        Path file = Path.of(argument.substring(equals + 1));
        Model model = Model.newInstance(file.getFileName().toString(), "PyTorch");
        loaded.add(model);
        model.load(file);
        all.add(
            new CompareModels(
                argument.substring(0, equals),
                Files.size(file),
                model.newPredictor(new NoopTranslator())));
      }
      var shape = new Shape(rows, columns);
      NDList input =
          areTokens
              ? new NDList(
                  manager.create(tokens(rows * columns), shape),
                  manager.ones(shape, DataType.INT64))
              : new NDList(manager.create(values(rows * columns), shape));
      for (int turn = 0; turn < TURNS; turn++) {
        for (CompareModels each : all) {
          each.takeTurn(input);
        }
      }
      all.forEach(each -> each.print(rows, all.get(0)));
    } finally {
      all.forEach(each -> each.predictor.close());
      loaded.forEach(Model::close);
    }
  }

  private static float[] values(int count) {
    var random = new Random(0);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static long[] tokens(int count) {
    return new Random(0).longs(count, 1_000, 30_000).toArray();
  }

  private void takeTurn(NDList input) throws TranslateException {
    long begin = System.nanoTime();
    for (int call = 0; call < LEAST_CALLS || System.nanoTime() - begin < TURN_NANOS; call++) {
      long start = System.nanoTime();
      try (NDList output = predictor.predict(input)) {
        long end = System.nanoTime();
        if (call > 0) {
          nanos.add(end - start);
        }
        if (answer.length == 0) {
          answer = output.get(0).toFloatArray();
        }
      }
    }
  }

  private void print(int rows, CompareModels first) {
    System.out.printf(
        Locale.ROOT,
        "| %-24s | %5d | %9.3f | %9.3f | %7.2f | %8.5f |%n",
        "%s, %.1f MB".formatted(name, bytes / 1e6),
        rows,
        median() / 1e6,
        nanos.stream().mapToLong(Long::longValue).min().orElseThrow() / 1e6,
        first.median() / median(),
        distance(first.answer));
  }

  private double median() {
    return nanos.stream().sorted().skip(nanos.size() / 2).findFirst().orElseThrow();
  }

  /** Root mean square of the differences, relative to that of the values. */
  private double distance(float[] expected) {
    double differences = 0;
    double values = 0;
    for (int i = 0; i < expected.length; i++) {
      differences += Math.pow(answer[i] - expected[i], 2);
      values += Math.pow(expected[i], 2);
    }
    return Math.sqrt(differences / values);
  }
}
