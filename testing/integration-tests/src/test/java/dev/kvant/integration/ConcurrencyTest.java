package dev.kvant.integration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Artifact;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.SavedModel;
import dev.kvant.runtime.Kvant;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("Work in several threads")
class ConcurrencyTest {

  private static final Path MODELS = Path.of("..", "..", "examples", "digits", "models");
  private static final List<String> SOURCES =
      List.of("resnet_traced.pt", "resnet.onnx", "transformer_traced.pt", "transformer.onnx");

  @TempDir private Path folder;

  @Test
  void one_kvant_serves_all_of_them_with_the_results_of_one() throws Exception {
    try (Kvant kvant = Kvant.create()) {
      List<Map<String, String>> alone = new ArrayList<>();
      for (String source : SOURCES) {
        alone.add(quantized(kvant, source, "alone"));
      }

      List<Callable<Map<String, String>>> together = new ArrayList<>();
      SOURCES.forEach(source -> together.add(() -> quantized(kvant, source, "together")));

      assertThat(atOnce(together)).isEqualTo(alone);
    }
  }

  @Test
  void eight_threads_at_once_write_the_bytes_of_one_after_the_other() throws Exception {
    try (Kvant kvant = Kvant.create()) {
      List<Map<String, String>> serial = new ArrayList<>();
      List<Callable<Map<String, String>>> together = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        String copy = "copy" + i;
        for (String source : SOURCES) {
          serial.add(quantized(kvant, source, "serial" + i));
          together.add(() -> quantized(kvant, source, copy));
        }
      }

      assertThat(together).hasSize(8);
      assertThat(atOnce(together)).isEqualTo(serial);
    }
  }

  @Test
  void several_kvants_live_in_one_jvm_and_leave_no_thread_behind() throws Exception {
    List<Callable<Map<String, String>>> each = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      String name = "own" + i;
      each.add(
          () -> {
            try (Kvant kvant = Kvant.create()) {
              return quantized(kvant, SOURCES.get(0), name);
            }
          });
    }

    assertThat(atOnce(each).stream().distinct()).hasSize(1);
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().startsWith("kvant-")) {
        thread.join(10_000);
        assertThat(thread.isAlive()).as(thread.getName()).isFalse();
      }
    }
  }

  /** Runs all at the same time, each in a thread of its own. */
  private static <T> List<T> atOnce(List<Callable<T>> tasks) throws Exception {
    var start = new CyclicBarrier(tasks.size());
    ExecutorService threads = Executors.newFixedThreadPool(tasks.size());
    try {
      List<Future<T>> futures = new ArrayList<>();
      for (Callable<T> task : tasks) {
        futures.add(
            threads.submit(
                () -> {
                  start.await();
                  return task.call();
                }));
      }
      List<T> results = new ArrayList<>();
      for (Future<T> future : futures) {
        results.add(future.get());
      }
      return results;
    } finally {
      threads.shutdownNow();
    }
  }

  /** The content of each artifact by its file name. */
  private Map<String, String> quantized(Kvant kvant, String source, String where)
      throws IOException {
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder()
            .backend(source.endsWith(".onnx") ? "onnx" : "torchao")
            .mode(QuantizationMode.WEIGHT_ONLY_PTQ)
            .layer("Linear", Dtype.INT8)
            .build();
    try (QuantizableModel model = kvant.load(MODELS.resolve(source));
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      SavedModel saved =
          quantizer.saveModel(quantizer.quantizeModel(model), folder.resolve(where + source));
      Map<String, String> contents = new TreeMap<>();
      for (Artifact artifact : saved.artifacts()) {
        contents.put(
            String.valueOf(artifact.path().getFileName()),
            Files.readString(artifact.path(), StandardCharsets.ISO_8859_1));
      }
      return contents;
    }
  }
}
