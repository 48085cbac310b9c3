package dev.kvant.runtime.evaluation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The mean average precision of boxes as COCO defines it (AP at IoU 0.50:0.05:0.95, all areas, 100
 * detections): for each class with objects and each of the ten thresholds of the intersection over
 * union, the precision at the recalls 0, 0.01, …, 1, made decreasing from the right, 0 where that
 * recall is not reached; the mean over all. Source: T.-Y. Lin et al., "Microsoft COCO: Common
 * Objects in Context", ECCV 2014, and the evaluation code that its site publishes.
 *
 * <p>In each image the 100 detections of a class with the highest scores are matched in that order,
 * each to the object not yet matched with the greatest intersection over union that reaches the
 * threshold. What matches a crowd counts neither as right nor as wrong; a crowd matches many, by
 * the intersection over the area of the detection, and is no object to be found.
 */
final class MeanAveragePrecision {

  /** A rectangle, in any unit that is the same everywhere. */
  record Box(double left, double top, double right, double bottom) {

    private double area() {
      return Math.max(0, right - left) * Math.max(0, bottom - top);
    }

    private double intersection(Box other) {
      double width = Math.min(right, other.right) - Math.max(left, other.left);
      double height = Math.min(bottom, other.bottom) - Math.max(top, other.top);
      return width <= 0 || height <= 0 ? 0 : width * height;
    }
  }

  /**
   * An object in an image.
   *
   * @param type its class
   * @param isCrowd whether the box surrounds many objects that are not told apart
   */
  record Truth(Box box, int type, boolean isCrowd) {}

  /**
   * What a model found.
   *
   * @param type its class
   * @param score how sure the model is; only the order counts
   */
  record Detection(Box box, int type, double score) {}

  private static final int THRESHOLDS = 10;
  private static final int RECALLS = 101;
  private static final int MOST_DETECTIONS = 100;
  private static final double FIRST_THRESHOLD = 0.5;
  private static final double LAST_THRESHOLD = 0.95;
  private static final double RECALL_STEP = 0.01;

  /** The result of a detection at each threshold. */
  private static final class Judged {
    private final double score;
    private final boolean[] right = new boolean[THRESHOLDS];
    private final boolean[] ignored = new boolean[THRESHOLDS];

    Judged(double score) {
      this.score = score;
    }

    double score() {
      return score;
    }
  }

  private static final class OfClass {
    private final List<Judged> judged = new ArrayList<>();
    private int objects;
  }

  private final SortedMap<Integer, OfClass> classes = new TreeMap<>();

  /** Judges the detections of one image. */
  void add(List<Truth> truths, List<Detection> detections) {
    SortedSet<Integer> types = new TreeSet<>();
    truths.forEach(truth -> types.add(truth.type()));
    detections.forEach(detection -> types.add(detection.type()));
    for (int type : types) {
      add(
          classes.computeIfAbsent(type, key -> new OfClass()),
          truths.stream()
              .filter(truth -> truth.type() == type)
              .sorted(Comparator.comparing(Truth::isCrowd))
              .toList(),
          detections.stream()
              .filter(detection -> detection.type() == type)
              .sorted(Comparator.comparingDouble(Detection::score).reversed())
              .limit(MOST_DETECTIONS)
              .toList());
    }
  }

  private static void add(OfClass all, List<Truth> truths, List<Detection> detections) {
    all.objects += (int) truths.stream().filter(truth -> !truth.isCrowd()).count();
    boolean[][] taken = new boolean[THRESHOLDS][truths.size()];
    for (Detection detection : detections) {
      double[] overlaps =
          truths.stream().mapToDouble(truth -> overlap(detection.box(), truth)).toArray();
      Judged judged = new Judged(detection.score());
      for (int i = 0; i < THRESHOLDS; i++) {
        int match = match(truths, overlaps, taken[i], threshold(i));
        if (match >= 0) {
          taken[i][match] = true;
          judged.ignored[i] = truths.get(match).isCrowd();
          judged.right[i] = !judged.ignored[i];
        }
      }
      all.judged.add(judged);
    }
  }

  /** In float64 as COCO's code computes them, since intersections may equal a threshold. */
  private static double threshold(int index) {
    double step = (LAST_THRESHOLD - FIRST_THRESHOLD) / (THRESHOLDS - 1);
    return index == THRESHOLDS - 1 ? LAST_THRESHOLD : index * step + FIRST_THRESHOLD;
  }

  private static double overlap(Box detection, Truth truth) {
    double shared = detection.intersection(truth.box());
    double whole =
        truth.isCrowd() ? detection.area() : detection.area() + truth.box().area() - shared;
    return shared == 0 ? 0 : shared / whole;
  }

  /** The object that a detection is matched to, or -1; crowds, which come last, only for want. */
  private static int match(
      List<Truth> truths, double[] overlaps, boolean[] taken, double threshold) {
    int match = -1;
    double best = threshold;
    for (int i = 0; i < overlaps.length; i++) {
      boolean isCrowd = truths.get(i).isCrowd();
      if (isCrowd && match >= 0 && !truths.get(match).isCrowd()) {
        break;
      }
      if ((isCrowd || !taken[i]) && overlaps[i] >= best) {
        best = overlaps[i];
        match = i;
      }
    }
    return match;
  }

  /** The mean average precision, 0 to 1; NaN if there was no object. */
  double value() {
    double sum = 0;
    int count = 0;
    for (OfClass each : classes.values()) {
      if (each.objects > 0) {
        List<Judged> sorted = new ArrayList<>(each.judged);
        sorted.sort(Comparator.comparingDouble(Judged::score).reversed());
        for (int threshold = 0; threshold < THRESHOLDS; threshold++) {
          sum += averagePrecision(sorted, threshold, each.objects);
          count++;
        }
      }
    }
    return count == 0 ? Double.NaN : sum / count;
  }

  private static double averagePrecision(List<Judged> sorted, int threshold, int objects) {
    double[] recalls = new double[sorted.size()];
    double[] precisions = new double[sorted.size()];
    int found = 0;
    int wrong = 0;
    int length = 0;
    for (Judged each : sorted) {
      if (!each.ignored[threshold]) {
        found += each.right[threshold] ? 1 : 0;
        wrong += each.right[threshold] ? 0 : 1;
        recalls[length] = (double) found / objects;
        precisions[length++] = (double) found / (found + wrong);
      }
    }
    for (int i = length - 2; i >= 0; i--) {
      precisions[i] = Math.max(precisions[i], precisions[i + 1]);
    }
    double sum = 0;
    for (int i = 0; i < RECALLS; i++) {
      double recall = i == RECALLS - 1 ? 1 : i * RECALL_STEP;
      int at = Arrays.binarySearch(recalls, 0, length, recall);
      // Of equal recalls the first counts, whose precision is the greatest.
      while (at > 0 && recalls[at - 1] == recall) {
        at--;
      }
      int place = at < 0 ? -at - 1 : at;
      sum += place < length ? precisions[place] : 0;
    }
    return sum / RECALLS;
  }
}
