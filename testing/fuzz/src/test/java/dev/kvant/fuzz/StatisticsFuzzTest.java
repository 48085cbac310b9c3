package dev.kvant.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class StatisticsFuzzTest {

  private static QuantizableModel model;
  private static ModelQuantizer quantizer;
  private static PreparedModel prepared;

  @BeforeAll
  static void prepare() throws IOException {
    Path file = Input.place("linear.onnx");
    try (InputStream in =
        Objects.requireNonNull(StatisticsFuzzTest.class.getResourceAsStream("linear.onnx"))) {
      Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
    }
    model = Models.KVANT.load(file);
    quantizer =
        Models.KVANT.quantizer(
            ModelQuantizationConfig.builder()
                .backend("onnx")
                .mode(QuantizationMode.STATIC_PTQ)
                .defaultLayerDtype(Dtype.INT8)
                .defaultActivationDtype(Dtype.INT8)
                .build());
    prepared = quantizer.prepare(model);
  }

  @AfterAll
  static void close() {
    quantizer.close();
    model.close();
  }

  @FuzzTest
  void reads(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(
        () -> quantizer.calibrate(prepared, List.of(input.file("part.statistics"))));
  }
}
