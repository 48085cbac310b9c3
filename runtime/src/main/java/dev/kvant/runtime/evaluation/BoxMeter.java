package dev.kvant.runtime.evaluation;

import dev.kvant.api.DataException;
import dev.kvant.api.Tensor;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.data.InputBatch;
import dev.kvant.runtime.evaluation.MeanAveragePrecision.Box;
import dev.kvant.runtime.evaluation.MeanAveragePrecision.Detection;
import dev.kvant.runtime.evaluation.MeanAveragePrecision.Truth;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads boxes from the outputs of a detector that selects them itself, and compares them with those
 * of the labels.
 */
final class BoxMeter implements AccuracyMeter {

  private static final int SIDES = 4;
  private static final int WITH_CLASS = 5;
  private static final int WITH_SCORE_AND_CLASS = 6;
  private static final int AXES = 3;

  private final MeanAveragePrecision precision = new MeanAveragePrecision();

  /** The boxes of a batch, as a model gives them. */
  private record Found(Values boxes, int boxWidth, Values scores, Values types, int most) {}

  /** Values of which each box has one every so many, from an offset on. */
  private static final class Values {
    private final float[] values;
    private final int stride;
    private final int offset;

    Values(float[] values, int stride, int offset) {
      this.values = values;
      this.stride = stride;
      this.offset = offset;
    }

    float of(int box) {
      return values[box * stride + offset];
    }
  }

  /**
   * Compares one batch.
   *
   * @param outputs one [samples, most, 6] with left, top, right, bottom, score and class; or boxes
   *     [samples, most, 4], and scores and classes, each [samples, most], told apart by their type
   *     or else their names; for a single sample also without the first axis. Boxes whose score is
   *     not above 0 fill up
   * @param labels [samples, most, 5 or 6]: left, top, right, bottom in the units of the outputs,
   *     the class, and whether it is a crowd, 0 or 1; a negative class fills up
   */
  @Override
  public void add(Map<String, Tensor> outputs, Tensor labels, InputBatch batch) {
    List<Long> shape = labels.shape();
    boolean isSound =
        shape.size() == AXES
            && shape.get(0) == batch.samples()
            && (shape.get(2) == WITH_CLASS || shape.get(2) == WITH_SCORE_AND_CLASS);
    if (!isSound) {
      throw new DataException(
          "with labels: boxes, 'label' must have the shape [samples, most, 5 or 6] (left, top, right, bottom, class, crowd), but is %s for %d samples"
              .formatted(labels, batch.samples()));
    }
    Found found = found(outputs, batch.rows());
    float[] truths = labels.toFloats();
    int most = Math.toIntExact(shape.get(1));
    int width = Math.toIntExact(shape.get(2));
    for (int sample = 0; sample < batch.samples(); sample++) {
      precision.add(
          truths(truths, sample * most, most, width), detections(found, sample * found.most()));
    }
  }

  private static List<Truth> truths(float[] values, int first, int most, int width) {
    List<Truth> truths = new ArrayList<>();
    for (int i = first; i < first + most; i++) {
      int at = i * width;
      int type = Math.round(values[at + SIDES]);
      if (type >= 0) {
        boolean isCrowd = width > WITH_CLASS && values[at + WITH_CLASS] > 0;
        truths.add(new Truth(box(values, at), type, isCrowd));
      }
    }
    return truths;
  }

  private static List<Detection> detections(Found found, int first) {
    List<Detection> detections = new ArrayList<>();
    for (int i = first; i < first + found.most(); i++) {
      float score = found.scores().of(i);
      if (score > 0) {
        detections.add(
            new Detection(
                box(found.boxes().values, i * found.boxWidth()),
                Math.round(found.types().of(i)),
                score));
      }
    }
    return detections;
  }

  private static Box box(float[] values, int at) {
    return new Box(values[at], values[at + 1], values[at + 2], values[at + 3]);
  }

  private static Found found(Map<String, Tensor> outputs, int rows) {
    Tensor boxes = null;
    Tensor scores = null;
    Tensor types = null;
    for (Map.Entry<String, Tensor> output : outputs.entrySet()) {
      Tensor tensor = output.getValue();
      int width = rowWidth(tensor, rows);
      if (width == WITH_SCORE_AND_CLASS && outputs.size() == 1) {
        float[] values = tensor.toFloats();
        return new Found(
            new Values(values, width, 0),
            width,
            new Values(values, width, SIDES),
            new Values(values, width, SIDES + 1),
            values.length / width / rows);
      }
      if (width == SIDES && boxes == null) {
        boxes = tensor;
      } else if (width == 1) {
        boolean isScore =
            tensor.elementType().isFloatingPoint()
                && (scores == null || output.getKey().toLowerCase(Locale.ROOT).contains("score"));
        if (isScore) {
          types = scores == null ? types : scores;
          scores = tensor;
        } else {
          types = tensor;
        }
      }
    }
    return found(outputs, rows, boxes, scores, types);
  }

  private static Found found(
      Map<String, Tensor> outputs,
      int rows,
      @Nullable Tensor boxes,
      @Nullable Tensor scores,
      @Nullable Tensor types) {
    if (boxes == null
        || scores == null
        || types == null
        || boxes.elements() != SIDES * scores.elements()
        || types.elements() != scores.elements()) {
      throw new UnsupportedModelException(
          "labels: boxes needs one output of shape [samples, most, 6] (left, top, right, bottom, score, class), or boxes [samples, most, 4] with scores and classes [samples, most], but the outputs have the shapes %s for %d samples"
              .formatted(outputs.values().stream().map(Tensor::shape).toList(), rows));
    }
    return new Found(
        new Values(boxes.toFloats(), SIDES, 0),
        SIDES,
        new Values(scores.toFloats(), 1, 0),
        new Values(floats(types), 1, 0),
        Math.toIntExact(scores.elements() / rows));
  }

  private static float[] floats(Tensor tensor) {
    if (tensor.elementType().isFloatingPoint()) {
      return tensor.toFloats();
    }
    long[] values = tensor.toLongs();
    float[] floats = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      floats[i] = values[i];
    }
    return floats;
  }

  /** How many values a box has in an output: 1 without an axis for them; 0 if it is no output. */
  private static int rowWidth(Tensor tensor, int rows) {
    List<Long> shape = tensor.shape();
    boolean hasSamples = !shape.isEmpty() && shape.get(0) == rows && shape.size() > 1;
    List<Long> sample = hasSamples ? shape.subList(1, shape.size()) : rows == 1 ? shape : List.of();
    if (hasSamples && rows == 1 && shape.size() == 2 && shape.get(1) == SIDES) {
      // One box of one sample, whose axis is left out.
      return SIDES;
    }
    return switch (sample.size()) {
      case 1 -> 1;
      case 2 -> Math.toIntExact(sample.get(1));
      default -> 0;
    };
  }

  @Override
  public Map<Figure, Double> figures() {
    return Map.of(Figure.MAP, precision.value());
  }
}
