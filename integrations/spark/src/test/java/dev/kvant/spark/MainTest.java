package dev.kvant.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.api.KvantException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MainTest {

  private final SparkSession spark = LocalSpark.session();

  @TempDir private Path folder;

  @Test
  void calibrates_on_a_table() throws Exception {
    Path table = folder.resolve("scans.parquet");
    Digits.scans(spark, 4)
        .selectExpr("input AS pixels", "1 AS other")
        .write()
        .parquet(table.toString());
    Path spec = Files.writeString(folder.resolve("spec.yaml"), Digits.SPEC);
    Path statistics = folder.resolve("model.statistics");

    Main.main(
        new String[] {
          "calibrate",
          "--model=" + Digits.MODEL,
          "--spec=" + spec,
          "--data=" + table,
          "--select=pixels AS input",
          "--statistics=" + statistics,
          "quantize.calibration.batch_size=64"
        });

    String batches = Digits.SPEC.replace("16", "64");
    byte[] whole = Digits.calibrated(batches, Digits.MODEL, Digits.SCANS, folder);
    assertThat(Digits.observed(Files.readAllBytes(statistics))).isEqualTo(Digits.observed(whole));
    assertThat(folder)
        .isDirectoryNotContaining("glob:**.partial")
        .isDirectoryNotContaining("glob:**.crc");
  }

  @Test
  void quantizes_a_table_of_models_and_says_how_many_failed() throws Exception {
    Path table =
        Files.writeString(
            folder.resolve("models.jsonl"),
            """
            {"model": "%s", "spec": "{backend: onnx, mode: dynamic_ptq, default_layer_dtype: int8, default_activation_dtype: int8}", "output": "%s"}
            {"model": "%s", "spec": "{backend: none}", "output": "%s"}
            """
                .formatted(Digits.MODEL, folder.resolve("a"), Digits.MODEL, folder.resolve("b")));
    Path reports = folder.resolve("reports");

    assertThatExceptionOfType(KvantException.class)
        .isThrownBy(
            () -> Main.main(new String[] {"quantize", "--models=" + table, "--reports=" + reports}))
        .withMessage("1 of 2 models failed; %s says why".formatted(reports));

    assertThat(folder.resolve("a/quantized_model.onnx")).exists();
    assertThat(folder.resolve("b")).doesNotExist();
    assertThat(spark.read().json(reports.toString()).select("status").collectAsList())
        .hasToString("[[done], [failed]]");
  }

  @Test
  void refuses_what_it_does_not_know() {
    assertThatExceptionOfType(KvantException.class)
        .isThrownBy(() -> Main.main(new String[] {"calibrate", "--model=a"}))
        .withMessageContaining("--spec=PATH")
        .withMessageEndingWith("; see --help");
  }

  @Test
  void describes_its_commands() {
    assertThat(printed()).contains("calibrate", "quantize", "default file");
    assertThat(printed("calibrate", "--help")).contains("--statistics=PATH", "--select");
    assertThat(printed("quantize", "--help")).contains("--models=PATH", "--reports=PATH");
  }

  private static String printed(String... arguments) {
    PrintStream before = System.out;
    var bytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      Main.main(arguments);
    } finally {
      System.setOut(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
