package dev.kvant.runtime.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.api.DataException;
import dev.kvant.api.LabelKind;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.data.InputBatch;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A meter of accuracy")
class AccuracyMeterTest {

  /** A batch of samples, filled up to so many rows. */
  private static InputBatch batch(int samples, int rows) {
    return new InputBatch(
        new TensorBatch(Map.of("input", Tensor.ofFloats(new float[rows], rows, 1))),
        null,
        samples,
        rows);
  }

  private static Map<Figure, Double> figures(
      LabelKind labels, Map<String, Tensor> outputs, Tensor label, InputBatch batch) {
    AccuracyMeter meter = AccuracyMeter.of(labels);
    meter.add(outputs, label, batch);
    return meter.figures();
  }

  @Test
  void counts_samples_whose_class_is_among_the_five_largest_outputs() {
    float[] outputs = {
      9, 8, 7, 6, 5, 4, //
      9, 8, 7, 6, 5, 4, //
      9, 8, 7, 6, 5, 4, //
      1, 1, 1, 1, 1, 1, //
      1, 1, 1, 1, 1, 1, //
      Float.NaN, 0, 0, 0, 0, 9
    };

    Map<Figure, Double> figures =
        figures(
            LabelKind.CLASSES,
            Map.of("y", Tensor.ofFloats(outputs, 6, 6)),
            Tensor.ofLongs(new long[] {0, 4, 5, 4, 5, 5}, 6),
            batch(6, 6));

    // Right: the first; among five: those of 0, 4, and 4 of equal ones.
    assertThat(figures).containsEntry(Figure.TOP1, 1.0 / 6).containsEntry(Figure.TOP5, 0.5);
  }

  @Test
  void has_no_top_5_of_fewer_classes() {
    assertThat(
            figures(
                LabelKind.CLASSES,
                Map.of("y", Tensor.ofFloats(new float[] {1, 2, 0, 0}, 1, 4)),
                Tensor.ofLongs(new long[] {1}, 1),
                batch(1, 1)))
        .containsOnlyKeys(Figure.TOP1);
  }

  @Test
  void reads_boxes_from_one_output_and_leaves_out_what_fills_up() {
    float[] outputs = {
      0, 0, 10, 10, 0.9f, 2, //
      50, 50, 60, 60, 0, 2, //
      0, 0, 10, 10, 0.9f, 1, //
      0, 0, 0, 0, 0, 0, //
      7, 7, 8, 8, 0.9f, 1, //
      7, 7, 8, 8, 0.9f, 1
    };
    float[] labels = {
      0, 0, 10, 10, 2, //
      0, 0, 0, 0, -1, //
      0, 0, 10, 10, 2, //
      20, 0, 30, 10, 1
    };

    Map<Figure, Double> figures =
        figures(
            LabelKind.BOXES,
            Map.of("y", Tensor.ofFloats(outputs, 3, 2, 6)),
            Tensor.ofFloats(labels, 2, 2, 5),
            batch(2, 3));

    // Class 2: one of two objects is found, at 51 of 101 recalls; class 1: none.
    assertThat(figures.get(Figure.MAP)).isEqualTo(51.0 / 101 / 2, within(1e-12));
  }

  @Test
  void reads_boxes_from_three_outputs_whatever_their_order() {
    Map<String, Tensor> outputs = new LinkedHashMap<>();
    outputs.put("labels", Tensor.ofLongs(new long[] {2, 1}, 1, 2));
    outputs.put("boxes", Tensor.ofFloats(new float[] {0, 0, 10, 10, 20, 0, 30, 10}, 1, 2, 4));
    outputs.put("scores", Tensor.ofFloats(new float[] {0.9f, 0.8f}, 1, 2));
    Tensor label = Tensor.ofFloats(new float[] {0, 0, 10, 10, 2, 0, 20, 0, 30, 10, 1, 0}, 1, 2, 6);

    assertThat(figures(LabelKind.BOXES, outputs, label, batch(1, 1)))
        .containsEntry(Figure.MAP, 1.0);
  }

  @Test
  void reads_boxes_of_a_single_sample_without_an_axis_for_samples() {
    Map<String, Tensor> outputs = new LinkedHashMap<>();
    outputs.put("boxes", Tensor.ofFloats(new float[] {0, 0, 10, 10, 20, 0, 30, 10}, 2, 4));
    outputs.put("classes", Tensor.ofFloats(new float[] {2, 1}, 2));
    outputs.put("scores", Tensor.ofFloats(new float[] {0.9f, 0.8f}, 2));
    Tensor label = Tensor.ofFloats(new float[] {0, 0, 10, 10, 2, 20, 0, 30, 10, 1}, 1, 2, 5);

    assertThat(figures(LabelKind.BOXES, outputs, label, batch(1, 1)))
        .containsEntry(Figure.MAP, 1.0);
  }

  @Test
  void refuses_outputs_and_labels_that_are_no_boxes() {
    Tensor label = Tensor.ofFloats(new float[5], 1, 1, 5);
    Map<String, Tensor> raw = Map.of("y", Tensor.ofFloats(new float[84], 1, 84, 1));

    assertThatThrownBy(() -> figures(LabelKind.BOXES, raw, label, batch(1, 1)))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("labels: boxes needs one output of shape [samples, most, 6]")
        .hasMessageContaining("[[1, 84, 1]]");
    Tensor classes = Tensor.ofLongs(new long[] {1}, 1);
    assertThatThrownBy(() -> figures(LabelKind.BOXES, raw, classes, batch(1, 1)))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("[samples, most, 5 or 6]");
  }

  @Test
  void counts_the_edits_for_each_character_of_texts() {
    // The first sample reads 1 2, the second 3; the labels are 1 2 3 and 3.
    float[] outputs = new float[2 * 3 * 4];
    outputs[1] = 1;
    outputs[4] = 1;
    outputs[8 + 2] = 1;
    outputs[12 + 3] = 1;
    outputs[16 + 3] = 1;
    outputs[20] = 1;
    Tensor label = Tensor.ofLongs(new long[] {1, 2, 3, 3, -1, -1}, 2, 3);

    assertThat(
            figures(
                LabelKind.TEXT, Map.of("y", Tensor.ofFloats(outputs, 2, 3, 4)), label, batch(2, 2)))
        .containsEntry(Figure.CER, 0.25);
  }

  @Test
  void reads_texts_whose_steps_come_first() {
    // Steps × samples × alphabet: the first sample reads 1, the second 2 1, the third fills up.
    float[] outputs = new float[2 * 3 * 3];
    outputs[1] = 1;
    outputs[3 + 2] = 1;
    outputs[9] = 1;
    outputs[12 + 1] = 1;
    Tensor label = Tensor.ofLongs(new long[] {1, -1, 2, 1}, 2, 2);

    assertThat(
            figures(
                LabelKind.TEXT, Map.of("y", Tensor.ofFloats(outputs, 2, 3, 3)), label, batch(2, 3)))
        .containsEntry(Figure.CER, 0.0);
  }

  @Test
  void refuses_outputs_and_labels_that_are_no_texts() {
    Tensor label = Tensor.ofLongs(new long[] {1, 2}, 1, 2);
    Map<String, Tensor> flat = Map.of("y", Tensor.ofFloats(new float[4], 1, 4));

    assertThatThrownBy(() -> figures(LabelKind.TEXT, flat, label, batch(1, 1)))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("labels: text needs an output of shape [samples, steps, alphabet]")
        .hasMessageContaining("[1, 4]");
    Map<String, Tensor> steps = Map.of("y", Tensor.ofFloats(new float[4], 1, 2, 2));
    Tensor numbers = Tensor.ofFloats(new float[] {1}, 1, 1);
    assertThatThrownBy(() -> figures(LabelKind.TEXT, steps, numbers, batch(1, 1)))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("must be integers of shape [samples, longest]");
  }
}
