package dev.kvant.runtime.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.runtime.evaluation.MeanAveragePrecision.Box;
import dev.kvant.runtime.evaluation.MeanAveragePrecision.Detection;
import dev.kvant.runtime.evaluation.MeanAveragePrecision.Truth;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The mean average precision of boxes")
class MeanAveragePrecisionTest {

  private static final Offset<Double> EXACT = within(1e-12);
  private static final Box UNIT = new Box(0, 0, 10, 10);

  private final MeanAveragePrecision precision = new MeanAveragePrecision();

  private static Truth truth(Box box) {
    return new Truth(box, 0, false);
  }

  private static Detection found(Box box, double score) {
    return new Detection(box, 0, score);
  }

  /** A box that shares so many of ten rows with the unit box, and is part of it. */
  private static Box rows(double rows) {
    return new Box(0, 0, 10, rows);
  }

  @Test
  void is_1_where_all_boxes_are_found() {
    precision.add(List.of(truth(UNIT)), List.of(found(UNIT, 0.3)));

    assertThat(precision.value()).isEqualTo(1, EXACT);
  }

  @Test
  void is_the_share_of_thresholds_that_a_box_reaches() {
    // An intersection over union of 0.72 reaches 0.50, 0.55, 0.60, 0.65 and 0.70.
    precision.add(List.of(truth(UNIT)), List.of(found(rows(7.2), 0.3)));

    assertThat(precision.value()).isEqualTo(0.5, EXACT);
  }

  @Test
  void counts_wrong_boxes_only_where_they_are_surer_than_right_ones() {
    Box far = new Box(50, 50, 60, 60);
    precision.add(List.of(truth(UNIT)), List.of(found(UNIT, 0.5), found(far, 0.4)));

    assertThat(precision.value()).isEqualTo(1, EXACT);

    precision.add(List.of(truth(UNIT)), List.of(found(far, 0.9), found(UNIT, 0.8)));
    // Sorted: wrong, right, right, wrong: precisions 1/2 and 2/3, of which the greater holds to the
    // recall 1.
    assertThat(precision.value()).isEqualTo(2.0 / 3, EXACT);
  }

  @Test
  void is_0_at_recalls_that_are_not_reached() {
    Box second = new Box(20, 0, 30, 10);
    precision.add(List.of(truth(UNIT), truth(second)), List.of(found(UNIT, 0.5)));

    // The recalls 0, 0.01, …, 0.50 are reached: 51 of 101.
    assertThat(precision.value()).isEqualTo(51.0 / 101, EXACT);
  }

  @Test
  void counts_the_second_box_of_one_object_as_wrong() {
    precision.add(
        List.of(truth(UNIT), truth(new Box(20, 0, 30, 10))),
        List.of(found(UNIT, 0.9), found(UNIT, 0.8), found(new Box(20, 0, 30, 10), 0.7)));

    // Right, wrong, right: precision 1 to the recall 0.5, then 2/3.
    assertThat(precision.value()).isEqualTo((51 + 50 * 2.0 / 3) / 101, EXACT);
  }

  @Test
  void matches_the_object_with_the_greatest_intersection_over_union() {
    precision.add(
        List.of(truth(rows(6)), truth(UNIT)), List.of(found(UNIT, 0.9), found(rows(6), 0.8)));

    assertThat(precision.value()).isEqualTo(1, EXACT);
  }

  @Test
  void is_the_mean_over_classes_that_have_objects() {
    precision.add(
        List.of(truth(UNIT), new Truth(UNIT, 3, false)),
        List.of(found(UNIT, 0.5), new Detection(UNIT, 7, 0.9)));

    // 1 for class 0, 0 for class 3; there is no object of class 7.
    assertThat(precision.value()).isEqualTo(0.5, EXACT);
  }

  @Test
  void ignores_crowds_and_what_is_found_in_them() {
    Truth crowd = new Truth(new Box(20, 0, 60, 10), 0, true);
    precision.add(
        List.of(crowd, truth(UNIT)),
        List.of(
            found(new Box(20, 0, 25, 10), 0.9),
            found(new Box(30, 0, 35, 10), 0.8),
            found(UNIT, 0.7)));

    assertThat(precision.value()).isEqualTo(1, EXACT);
  }

  @Test
  void judges_the_hundred_surest_boxes_of_a_class_in_an_image() {
    List<Detection> many = new ArrayList<>();
    Box far = new Box(50, 50, 60, 60);
    for (int i = 0; i < 100; i++) {
      many.add(found(far, 0.9));
    }
    many.add(found(UNIT, 0.1));
    precision.add(List.of(truth(UNIT)), many);

    assertThat(precision.value()).isZero();

    precision.add(List.of(truth(UNIT)), List.of(found(UNIT, 0.95)));
    assertThat(precision.value()).isEqualTo(51.0 / 101, EXACT);
  }

  @Test
  void is_no_number_without_objects() {
    precision.add(List.of(), List.of(found(UNIT, 0.5)));

    assertThat(precision.value()).isNaN();
  }

  /** Its boxes are made by integer arithmetic, so that other programs can make the same. */
  @Test
  void is_what_pycocotools_computes_for_random_boxes() {
    for (int image = 0; image < 20; image++) {
      Numbers random = new Numbers(image);
      List<Truth> truths = new ArrayList<>();
      List<Detection> detections = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        int left = random.below(60);
        int top = random.below(60);
        int width = 5 + random.below(35);
        int height = 5 + random.below(35);
        int type = random.below(3);
        truths.add(
            new Truth(new Box(left, top, left + width, top + height), type, random.below(8) == 0));
        for (int j = 0; j < 3; j++) {
          int x = left + random.below(9) - 4;
          int y = top + random.below(9) - 4;
          int w = Math.max(1, width + random.below(9) - 4);
          int h = Math.max(1, height + random.below(9) - 4);
          int guess = random.below(6) == 0 ? random.below(3) : type;
          detections.add(
              new Detection(new Box(x, y, x + w, y + h), guess, 1 + random.below(100_000)));
        }
      }
      precision.add(truths, detections);
    }

    // By interop/golden/coco_boxes.py.
    assertThat(precision.value()).isEqualTo(PYCOCOTOOLS, within(1e-9));
  }

  private static final double PYCOCOTOOLS = 0.16981540339884763;

  /** A linear congruential generator with the constants of Numerical Recipes. */
  private static final class Numbers {
    private long state;

    Numbers(long seed) {
      state = seed;
    }

    int below(int bound) {
      state = (state * 1_664_525L + 1_013_904_223L) & 0xffff_ffffL;
      return (int) ((state >> 8) % bound);
    }
  }
}
