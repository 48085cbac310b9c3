package dev.kvant.readers.images;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** How an image is scaled, by the names and filters of PIL. */
enum Interpolation {
  /** The nearest pixel, without any filter. */
  NEAREST(0) {
    @Override
    double weight(double x) {
      throw new UnsupportedOperationException("nearest has no filter");
    }
  },
  BOX(0.5) {
    @Override
    double weight(double x) {
      return x > -0.5 && x <= 0.5 ? 1 : 0;
    }
  },
  BILINEAR(1) {
    @Override
    double weight(double x) {
      double distance = Math.abs(x);
      return distance < 1 ? 1 - distance : 0;
    }
  },
  HAMMING(1) {
    @Override
    double weight(double x) {
      double distance = Math.abs(x);
      if (distance == 0) {
        return 1;
      }
      if (distance >= 1) {
        return 0;
      }
      double angle = distance * Math.PI;
      return Math.sin(angle) / angle * (0.54 + 0.46 * Math.cos(angle));
    }
  },
  BICUBIC(2) {
    @Override
    double weight(double x) {
      double distance = Math.abs(x);
      if (distance < 1) {
        return ((SHARPNESS + 2) * distance - (SHARPNESS + 3)) * distance * distance + 1;
      }
      return distance < 2 ? (((distance - 5) * distance + 8) * distance - 4) * SHARPNESS : 0;
    }
  },
  LANCZOS(3) {
    @Override
    double weight(double x) {
      return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
    }
  };

  private static final double SHARPNESS = -0.5;

  private final double support;

  Interpolation(double support) {
    this.support = support;
  }

  /** How far the filter reaches, in pixels of the larger of both images. */
  double support() {
    return support;
  }

  /** The filter at a distance from the middle, not normalized. */
  abstract double weight(double x);

  private static double sinc(double x) {
    if (x == 0) {
      return 1;
    }
    double angle = x * Math.PI;
    return Math.sin(angle) / angle;
  }

  /** The name in configurations. */
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  static List<String> labels() {
    return Arrays.stream(values()).map(Interpolation::label).toList();
  }

  static Interpolation of(String label) {
    return valueOf(label.toUpperCase(Locale.ROOT));
  }
}
