package dev.kvant.benchmarks;

import com.sun.management.UnixOperatingSystemMXBean;
import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.runtime.Kvant;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Quantizes the examples many times in one process, by every backend that runs here, and prints
 * what the process holds meanwhile. Fails if that grows from the first half of the runs to the
 * second.
 */
public final class Soak {

  /** Runs of one round: what is quantized, how, by which backend. */
  private record Job(String model, String backend, QuantizationMode mode) {}

  private static final List<Job> ROUND =
      List.of(
          new Job("resnet_traced.pt", "torchao", QuantizationMode.WEIGHT_ONLY_PTQ),
          new Job("transformer.pth", "torchao", QuantizationMode.WEIGHT_ONLY_PTQ),
          new Job("resnet_scripted.pt", "modelopt", QuantizationMode.STATIC_PTQ),
          new Job("resnet.onnx", "onnx", QuantizationMode.STATIC_PTQ),
          new Job("transformer.onnx", "onnx", QuantizationMode.WEIGHT_ONLY_PTQ));

  private static final int DEFAULT_RUNS = 500;

  /** Libraries load and caches fill in the first runs. */
  private static final int WARM_UP_SHARE = 10;

  private static final int LINES = 20;

  private static final double MEGA = 1e6;

  /** What may be there more at the end: the collector and native allocators keep some room. */
  private static final Held TOLERANCE = new Held(4_000_000, 30_000_000, 2, 2);

  /**
   * What a process holds.
   *
   * @param heap bytes of the heap in use after a collection
   * @param resident bytes of memory, native memory included; 0 where Linux does not tell
   * @param threads the number of threads
   * @param descriptors the number of open files
   */
  private record Held(long heap, long resident, long threads, long descriptors) {

    static Held now() throws IOException {
      for (int i = 0; i < 3; i++) {
        System.gc();
      }
      Runtime runtime = Runtime.getRuntime();
      Path status = Path.of("/proc/self/status");
      long resident =
          Files.exists(status)
              ? Files.readAllLines(status).stream()
                  .filter(line -> line.startsWith("RssAnon:"))
                  .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
                  .sum()
              : 0;
      return new Held(
          runtime.totalMemory() - runtime.freeMemory(),
          resident,
          ManagementFactory.getThreadMXBean().getThreadCount(),
          ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
              ? unix.getOpenFileDescriptorCount()
              : 0);
    }

    /** The least of each in several states: what is never given back. */
    static Held least(List<Held> states) {
      return new Held(
          states.stream().mapToLong(Held::heap).min().orElseThrow(),
          states.stream().mapToLong(Held::resident).min().orElseThrow(),
          states.stream().mapToLong(Held::threads).min().orElseThrow(),
          states.stream().mapToLong(Held::descriptors).min().orElseThrow());
    }

    boolean isMoreThan(Held other) {
      return heap > other.heap + TOLERANCE.heap
          || resident > other.resident + TOLERANCE.resident
          || threads > other.threads + TOLERANCE.threads
          || descriptors > other.descriptors + TOLERANCE.descriptors;
    }

    String row(Object runs) {
      return "| %s | %.1f MB | %.0f MB | %d | %d |"
          .formatted(runs, heap / MEGA, resident / MEGA, threads, descriptors);
    }
  }

  private Soak() {}

  /** {@code [RUNS]}; 500 by default. */
  public static void main(String[] arguments) throws IOException {
    int runs = arguments.length == 0 ? DEFAULT_RUNS : Integer.parseInt(arguments[0]);
    Path models = Path.of("examples/digits/models");
    Path out = Files.createTempDirectory("kvant-soak");
    List<Held> states = new ArrayList<>();
    System.out.println("| runs | heap | native and heap | threads | open files |");
    System.out.println("|---:|---:|---:|---:|---:|");
    try {
      for (int run = 1; run <= runs; run++) {
        quantize(models, ROUND.get(run % ROUND.size()), out);
        if (run % Math.max(1, runs / LINES) == 0) {
          Held held = Held.now();
          System.out.println(held.row(run));
          if (run > runs / WARM_UP_SHARE) {
            states.add(held);
          }
        }
      }
    } finally {
      remove(out);
    }
    int half = states.size() / 2;
    Held first = Held.least(states.subList(0, half));
    Held second = Held.least(states.subList(half, states.size()));
    System.out.println(first.row("least of the first half"));
    System.out.println(second.row("least of the second half"));
    if (second.isMoreThan(first)) {
      System.out.println("It grows.");
      System.exit(1);
    }
  }

  /** With a Kvant of its own, so that whatever it leaves behind counts. */
  private static void quantize(Path models, Job job, Path out) {
    boolean isStatic = job.mode().equals(QuantizationMode.STATIC_PTQ);
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder()
            .backend(job.backend())
            .mode(job.mode())
            .defaultLayerDtype(Dtype.INT8)
            .defaultActivationDtype(isStatic ? Dtype.INT8 : Dtype.NATIVE)
            .build();
    try (Kvant kvant = Kvant.create();
        QuantizableModel model = kvant.load(models.resolve(job.model()));
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      quantizer.saveModel(
          isStatic
              ? quantizer.quantizeModel(
                  model,
                  kvant.calibrationData(
                      CalibrationConfig.of(models.resolveSibling("data/calibration.npz")), model))
              : quantizer.quantizeModel(model),
          out);
    }
  }

  private static void remove(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
