package dev.kvant.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kvant.api.DataException;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.config.ConfigDocument;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SparkFleetTest {

  private static final StructType TABLE =
      new StructType()
          .add("model", DataTypes.StringType)
          .add("spec", DataTypes.StringType)
          .add("output", DataTypes.StringType)
          .add("calibration", DataTypes.StringType);

  private final SparkSession spark = LocalSpark.session();

  @TempDir private Path folder;

  private Row row(Path model, String name) {
    return RowFactory.create(
        model.toString(),
        Digits.SPEC,
        folder.resolve(name).toString(),
        Digits.SCANS.toUri().toString());
  }

  private Dataset<Row> table(Row... rows) {
    return spark.createDataFrame(List.of(rows), TABLE);
  }

  @Test
  void a_model_that_fails_does_not_stop_the_others() throws Exception {
    Path transformer = Digits.EXAMPLES.resolve("models/transformer.onnx");

    List<Row> outcomes =
        SparkFleet.quantize(
                table(
                    row(Digits.MODEL, "resnet"),
                    row(folder.resolve("missing.onnx"), "missing"),
                    row(transformer, "transformer")))
            .collectAsList();

    assertThat(outcomes)
        .extracting(each -> each.<String>getAs("status"))
        .containsExactly("done", "failed", "done");
    assertThat(outcomes.get(1).<String>getAs("error")).contains("missing.onnx");
    assertThat(outcomes.get(0).<String>getAs("report")).contains("\"modules\"");
    assertThat(outcomes.get(0).<Long>getAs("model_bytes")).isEqualTo(Files.size(Digits.MODEL));
    Path one = folder.resolve("one-process");
    try (Kvant kvant = Kvant.builder().parallelism(1).build()) {
      kvant.quantize(
          ConfigDocument.parse(Digits.SPEC)
              .withModelPath(Digits.MODEL)
              .withCalibrationData(Digits.SCANS)
              .withResultsDir(one));
    }
    assertThat(folder.resolve("resnet/quantized_model.onnx"))
        .hasSameBinaryContentAs(one.resolve("quantized_model.onnx"));
    assertThat(names(folder.resolve("resnet"))).isEqualTo(names(one));
    assertThat(names(folder)).containsExactly("one-process", "resnet", "transformer");
  }

  private static List<String> names(Path directory) throws Exception {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  /**
   * A view is a file system that Hadoop does not know to be local, as HDFS and object stores are.
   */
  @Test
  void models_and_artifacts_may_be_on_other_file_systems() throws Exception {
    Files.copy(Digits.MODEL, folder.resolve("resnet.onnx"));
    Files.copy(Digits.SCANS, folder.resolve("scans.npz"));
    spark
        .sparkContext()
        .hadoopConfiguration()
        .set("fs.viewfs.mounttable.test.link./store", folder.toUri().toString());

    List<Row> outcomes =
        SparkFleet.quantize(
                table(
                    RowFactory.create(
                        "viewfs://test/store/resnet.onnx",
                        Digits.SPEC,
                        "viewfs://test/store/int8/resnet",
                        "viewfs://test/store/scans.npz")))
            .collectAsList();

    assertThat(outcomes.get(0).<String>getAs("error")).isNull();
    assertThat(names(folder)).containsExactly("int8", "resnet.onnx", "scans.npz");
    assertThat(names(folder.resolve("int8"))).containsExactly("resnet");
    // The file system behind the view adds files of checksums.
    assertThat(names(folder.resolve("int8/resnet")))
        .contains("kvant-manifest.json", "quantized_model.onnx");
  }

  @Test
  void artifacts_that_exist_are_left_alone() throws Exception {
    Path there = Files.createDirectory(folder.resolve("there"));

    List<Row> outcomes = SparkFleet.quantize(table(row(Digits.MODEL, "there"))).collectAsList();

    assertThat(outcomes).extracting(each -> each.<String>getAs("status")).containsExactly("exists");
    assertThat(there).isEmptyDirectory();
  }

  @Test
  void wrong_tables_are_refused() {
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> SparkFleet.quantize(table(row(Digits.MODEL, "a")).drop("spec")))
        .withMessage("the table of models has no column 'spec', only model, output, calibration");
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(
            () -> SparkFleet.quantize(table(row(Digits.MODEL, "a"), row(Digits.MODEL, "a"))))
        .withMessageStartingWith("two rows of the table of models have the output ");
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(
            () ->
                SparkFleet.quantize(
                    table(row(Digits.MODEL, "a"))
                        .selectExpr("*", "CAST(null AS STRING) AS none")
                        .drop("spec")
                        .withColumnRenamed("none", "spec")))
        .withMessage("the table of models has a null in column 'spec'");
  }
}
