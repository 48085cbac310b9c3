package dev.kvant.benchmarks;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.Device;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.runtime.Kvant;
import dev.kvant.spi.ModelRunner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/**
 * Compares the calibration of a TorchScript encoder by the backend modelopt with plain forward
 * passes of the same batches: time, in turns within one process, or memory, each in a process of
 * its own.
 *
 * <p>Both begin with the model's file and end when everything is closed, so that loading counts on
 * both sides, and both run once before anything counts. What is told is the ratio of the medians.
 */
public final class CompareCalibration {

  private static final int ROUNDS = 7;
  private static final int ROWS = 8;
  private static final int TOKENS = 64;
  private static final int VOCABULARY = 30_000;

  private CompareCalibration() {}

  /**
   * Compares time or shows memory.
   *
   * @param arguments the model, the number of batches and the algorithm; then nothing for time,
   *     {@code plain} or {@code calibrate} for the most memory that it took
   */
  public static void main(String[] arguments) throws IOException {
    Path model = Path.of(arguments[0]);
    CalibrationDataset data = CalibrationDataset.of(batches(Integer.parseInt(arguments[1])));
    var algorithm = CalibrationAlgorithm.of(arguments[2]);
    try (Kvant kvant = Kvant.create()) {
      if (arguments.length > 3) {
        if (arguments[3].equals("plain")) {
          plain(kvant, model, data);
        } else {
          calibrate(kvant, model, data, algorithm);
        }
        System.out.println(peakKilobytes());
        return;
      }
      double[] plain = new double[ROUNDS];
      double[] calibrated = new double[ROUNDS];
      plain(kvant, model, data);
      calibrate(kvant, model, data, algorithm);
      for (int round = 0; round < ROUNDS; round++) {
        plain[round] = plain(kvant, model, data);
        calibrated[round] = calibrate(kvant, model, data, algorithm);
      }
      System.out.printf(
          Locale.ROOT,
          "| %s | %s | %.2f s | %.2f |%n",
          arguments[2],
          arguments[1],
          median(plain),
          median(calibrated) / median(plain));
    }
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private static double plain(Kvant kvant, Path model, CalibrationDataset data) {
    long start = System.nanoTime();
    try (ModelRunner runner = kvant.runner(model, Device.CPU)) {
      for (TensorBatch batch : data) {
        runner.run(batch);
      }
    }
    return (System.nanoTime() - start) / 1e9;
  }

  private static double calibrate(
      Kvant kvant, Path path, CalibrationDataset data, CalibrationAlgorithm algorithm) {
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder()
            .backend("modelopt")
            .mode(QuantizationMode.STATIC_PTQ)
            .algorithm(algorithm)
            .layer("Linear", Dtype.INT8, Dtype.INT8)
            .build();
    long start = System.nanoTime();
    try (QuantizableModel model = kvant.load(path);
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      quantizer.calibrate(quantizer.prepare(model), data);
    }
    return (System.nanoTime() - start) / 1e9;
  }

  private static List<TensorBatch> batches(int count) {
    var random = new Random(0);
    long[] ones = new long[ROWS * TOKENS];
    Arrays.fill(ones, 1);
    List<TensorBatch> batches = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Map<String, Tensor> inputs = new LinkedHashMap<>();
      inputs.put(
          "input_ids",
          Tensor.ofLongs(
              random.longs((long) ROWS * TOKENS, 1000, VOCABULARY).toArray(), ROWS, TOKENS));
      inputs.put("attention_mask", Tensor.ofLongs(ones, ROWS, TOKENS));
      batches.add(new TensorBatch(inputs));
    }
    return batches;
  }

  private static long peakKilobytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) {
        return Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IllegalStateException("/proc/self/status does not tell the most memory taken");
  }
}
