package dev.kvant.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.api.DataException;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.KvantException;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SparkCalibrationTest {

  private static final SparkSpec SPEC = SparkSpec.of(Digits.SPEC);

  private final SparkSession spark = LocalSpark.session();

  @TempDir private Path folder;

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

  @Test
  void images_give_the_statistics_of_the_folder_that_they_come_from() throws Exception {
    String spec =
        Digits.SPEC.replace("{ batch_size: 16 }", "{ batch_size: 1, images: { size: 8 } }");
    Dataset<Row> images =
        spark
            .read()
            .format("binaryFile")
            .option("recursiveFileLookup", true)
            .load(Digits.IMAGES.toString());

    SparkStatistics ofBytes =
        SparkCalibration.observe(
            images.select("content"), Digits.MODEL.toString(), SparkSpec.of(spec));
    SparkStatistics ofPaths =
        SparkCalibration.observe(
            images.select("path"), Digits.MODEL.toString(), SparkSpec.of(spec));

    byte[] whole = Digits.calibrated(spec, Digits.MODEL, Digits.IMAGES, folder);
    assertThat(Digits.observed(ofBytes.toBytes())).isEqualTo(Digits.observed(whole));
    assertThat(Digits.observed(ofPaths.toBytes())).isEqualTo(Digits.observed(whole));
  }

  @Test
  void a_column_that_fits_no_input_is_an_error_before_any_task() throws Exception {
    Dataset<Row> dates = Digits.scans(spark, 2).selectExpr("input", "current_date() AS day");

    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> SparkCalibration.observe(dates, Digits.MODEL.toString(), SPEC))
        .withMessageStartingWith("column 'day' (DATE) cannot be the input of a model");
  }

  @Test
  void an_error_of_a_task_has_the_message_of_kvant() throws Exception {
    Dataset<Row> rows = Digits.scans(spark, 2).selectExpr("slice(input, 1, 0) AS input");

    assertThatExceptionOfType(KvantException.class)
        .isThrownBy(() -> SparkCalibration.observe(rows, Digits.MODEL.toString(), SPEC))
        .withMessageStartingWith("a task failed: ");
  }

  @Test
  void a_null_is_an_error_that_names_its_column() throws Exception {
    Dataset<Row> rows = Digits.scans(spark, 2).selectExpr("nullif(input, input) AS input");

    assertThatExceptionOfType(KvantException.class)
        .isThrownBy(() -> SparkCalibration.observe(rows, Digits.MODEL.toString(), SPEC))
        .withMessage(
            "a task failed: column 'input' has a null; leave such rows out, as with"
                + " DataFrame.na().drop()");
  }
}
