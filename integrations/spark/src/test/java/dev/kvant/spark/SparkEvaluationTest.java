package dev.kvant.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.api.DataException;
import dev.kvant.api.Device;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.config.ConfigDocument;
import dev.kvant.runtime.evaluation.Evaluation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SparkEvaluationTest {

  private static final String DYNAMIC =
      "{backend: onnx, mode: dynamic_ptq, default_layer_dtype: int8, default_activation_dtype:"
          + " int8}";

  private static final SparkSpec SPEC =
      SparkSpec.of(DYNAMIC).withOverrides(List.of("evaluation.batch_size=20"));

  private final SparkSession spark = LocalSpark.session();

  @TempDir private Path folder;

  private String quantized() {
    try (Kvant kvant = Kvant.create()) {
      kvant.quantize(
          ConfigDocument.parse(
                  "{backend: onnx, mode: dynamic_ptq, default_layer_dtype: int8,"
                      + " default_activation_dtype: int8}")
              .withModelPath(Digits.MODEL)
              .withResultsDir(folder));
    }
    return folder.resolve("quantized_model.onnx").toString();
  }

  @Test
  void partitions_give_the_figures_of_one_process() throws Exception {
    String model = quantized();
    Dataset<Row> scans = Digits.labelled(spark, 3);

    SparkEvaluation found = SparkEvaluation.of(scans, model, Digits.MODEL.toString(), SPEC);

    Evaluation one;
    try (Kvant kvant = Kvant.create()) {
      one =
          kvant.evaluate(
              Path.of(model), Digits.MODEL, EvaluationConfig.of(Digits.TEST, 20), Device.CPU);
    }
    assertThat(found.samples()).isEqualTo(600).isEqualTo(one.samples());
    assertThat(found.model().correct()).isGreaterThan(570).isEqualTo(one.model().correct());
    assertThat(Objects.requireNonNull(found.reference()).correct())
        .isEqualTo(Objects.requireNonNull(one.reference()).correct());
    var similarity = Objects.requireNonNull(one.similarity());
    assertThat(found.cosineMin()).isEqualTo(similarity.cosineMin());
    assertThat(found.cosineMean()).isCloseTo(similarity.cosineMean(), within(1e-12));
  }

  @Test
  void without_labels_and_reference_there_are_only_counts() throws Exception {
    SparkEvaluation found =
        SparkEvaluation.of(Digits.scans(spark, 2), Digits.MODEL.toString(), null, SPEC);

    assertThat(found)
        .isEqualTo(
            new SparkEvaluation(256, 0, new SparkEvaluation.Score(null, 0), null, null, null));
  }

  @Test
  void the_command_writes_the_figures() throws Exception {
    Path table = folder.resolve("scans.parquet");
    Digits.labelled(spark, 2).write().parquet(table.toString());
    Path spec = folder.resolve("spec.yaml");
    Files.writeString(spec, DYNAMIC);
    Path figures = folder.resolve("figures.json");

    Main.main(
        new String[] {
          "evaluate",
          "--model=" + Digits.MODEL,
          "--spec=" + spec,
          "--data=" + table,
          "--figures=" + figures
        });

    assertThat(figures).content().contains("\"samples\": 600", "\"top1\": 0.995");
  }

  @Test
  void figures_that_cannot_be_added_are_refused() throws Exception {
    Dataset<Row> scans = Digits.scans(spark, 2);
    SparkSpec boxes = SPEC.withOverrides(List.of("evaluation.labels=boxes"));

    assertThatExceptionOfType(InvalidConfigurationException.class)
        .isThrownBy(() -> SparkEvaluation.of(scans, Digits.MODEL.toString(), null, boxes))
        .withMessageContaining("must be classes: figures for boxes need all samples");
  }

  @Test
  void a_dataframe_without_rows_is_an_error() throws Exception {
    Dataset<Row> none = Digits.scans(spark, 2).limit(0);

    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> SparkEvaluation.of(none, Digits.MODEL.toString(), null, SPEC))
        .withMessage("the DataFrame has no rows");
  }
}
