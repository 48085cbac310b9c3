package dev.kvant.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.kvant.api.QuantizationMode;
import java.nio.file.Path;

class ExportedFuzzTest {

  /** A program of one Linear. */
  private static final SoundArchive ARCHIVE = new SoundArchive("linear.pt2");

  @FuzzTest
  void rewrites_the_graph(byte[] bytes) {
    readsAndQuantizes("/models/model.json", bytes);
  }

  @FuzzTest
  void reads_the_weights(byte[] bytes) {
    readsAndQuantizes("/data/weights/model_weights_config.json", bytes);
  }

  private static void readsAndQuantizes(String record, byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(
        () -> {
          Path file = ARCHIVE.with(record, bytes, "program.pt2");
          Models.inspect(file);
          Models.quantize(file, "torchao", QuantizationMode.WEIGHT_ONLY_PTQ);
        });
  }
}
