package dev.kvant.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.api.DataException;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.SavedModel;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.config.ConfigDocument;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SparkCalibrationTest {

  private static final SparkSpec SPEC = SparkSpec.of(Digits.SPEC);

  private static SparkSession spark;

  @TempDir private Path folder;

  @BeforeAll
  static void start() {
    spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 2)
            .getOrCreate();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  @Test
  void partitions_give_the_statistics_of_one_process_bit_for_bit() throws Exception {
    Dataset<Row> scans = Digits.scans(spark, 4);

    SparkStatistics merged = SparkCalibration.observe(scans, Digits.MODEL.toString(), SPEC);

    byte[] whole = Digits.calibrated(Digits.SPEC, Digits.MODEL, Digits.SCANS, folder);
    assertThat(Digits.observed(merged.toBytes())).isEqualTo(Digits.observed(whole));
  }

  @Test
  void partitions_without_rows_are_left_out() throws Exception {
    Dataset<Row> scans = Digits.scans(spark, 2);
    Dataset<Row> none = Digits.scans(spark, 3).filter("size(input) > 1");

    SparkStatistics merged =
        SparkCalibration.observe(none.union(scans), Digits.MODEL.toString(), SPEC);

    byte[] whole = Digits.calibrated(Digits.SPEC, Digits.MODEL, Digits.SCANS, folder);
    assertThat(Digits.observed(merged.toBytes())).isEqualTo(Digits.observed(whole));
  }

  @Test
  void statistics_are_saved_as_a_file_for_the_command() throws Exception {
    SparkStatistics merged =
        SparkCalibration.observe(Digits.scans(spark, 2), Digits.MODEL.toString(), SPEC);
    Path file = folder.resolve("merged.statistics");

    merged.save(file.toUri().toString(), spark.sparkContext().hadoopConfiguration());

    Path artifacts = folder.resolve("artifacts");
    try (Kvant kvant = Kvant.create();
        ModelQuantizer quantizer =
            kvant.quantizer(ConfigDocument.parse(Digits.SPEC).withCalibrationData(Digits.SCANS));
        QuantizableModel model = kvant.load(Digits.MODEL)) {
      PreparedModel prepared = quantizer.prepare(model);
      quantizer.calibrate(prepared, List.of(file));
      SavedModel saved = quantizer.saveModel(quantizer.quantize(prepared), artifacts);
      assertThat(saved.report().modules())
          .filteredOn(module -> module.activations().isQuantized())
          .isNotEmpty();
    }
  }

  @Test
  void a_dataframe_without_rows_is_an_error() throws Exception {
    Dataset<Row> none = Digits.scans(spark, 2).limit(0);

    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> SparkCalibration.observe(none, Digits.MODEL.toString(), SPEC))
        .withMessage("the DataFrame has no rows");
  }

  @Test
  void settings_of_one_process_are_refused_before_any_task() throws Exception {
    Dataset<Row> scans = Digits.scans(spark, 2);

    assertThatExceptionOfType(InvalidConfigurationException.class)
        .isThrownBy(
            () ->
                SparkCalibration.observe(
                    scans,
                    Digits.MODEL.toString(),
                    SPEC.withOverrides(List.of("quantize.calibration.max_batches=1"))))
        .withMessageContaining("limit the DataFrame");
  }
}
