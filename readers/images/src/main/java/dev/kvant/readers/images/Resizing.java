package dev.kvant.readers.images;

/**
 * Scales images as PIL's {@code Image.resize} does: with a filter that grows with the reduction, so
 * that no pixel is left out, first along rows, then along columns, each rounded to 8 bits.
 *
 * <p>For an output pixel {@code i} of {@code n} from {@code m} input pixels, with {@code s = m/n}
 * and {@code f = max(s, 1)}: the middle is {@code c = (i + 0.5)·s}, the weight of the input pixel
 * {@code x} is {@code w((x + 0.5 - c)/f)} over the sum of all weights, and weights are rounded to
 * multiples of {@code 2⁻²²}. Results equal PIL's to the bit, but for {@code hamming}, whose weights
 * depend on the last bit of a sine.
 *
 * <p>Source of the definition: Pillow's {@code Resample.c} and {@code Geometry.c}, version 12.
 */
final class Resizing {

  private static final int PRECISION = 32 - 8 - 2;
  private static final int HALF = 1 << (PRECISION - 1);

  /** The input pixels that make one output pixel, and their weights. */
  private static final class Kernel {

    final int first;
    final int[] weights;

    Kernel(int first, int[] weights) {
      this.first = first;
      this.weights = weights;
    }
  }

  private Resizing() {}

  /** The image in another size. */
  static Pixels resize(Pixels image, int width, int height, Interpolation interpolation) {
    if (image.width() == width && image.height() == height) {
      return image;
    }
    if (interpolation == Interpolation.NEAREST) {
      return nearest(image, width, height);
    }
    Pixels wide = image.width() == width ? image : alongRows(image, width, interpolation);
    return image.height() == height ? wide : alongColumns(wide, height, interpolation);
  }

  private static Pixels nearest(Pixels image, int width, int height) {
    int[] columns = nearest(image.width(), width);
    int[] rows = nearest(image.height(), height);
    Pixels resized = new Pixels(width, height, image.channels());
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        for (int channel = 0; channel < image.channels(); channel++) {
          resized.set(x, y, channel, image.get(columns[x], rows[y], channel));
        }
      }
    }
    return resized;
  }

  /** Positions are summed up, as PIL does: a product would round otherwise. */
  private static int[] nearest(int from, int to) {
    double step = (double) from / to;
    double position = step * 0.5;
    int[] pixels = new int[to];
    for (int i = 0; i < to; i++) {
      pixels[i] = Math.min(from - 1, (int) position);
      position += step;
    }
    return pixels;
  }

  private static Pixels alongRows(Pixels image, int width, Interpolation interpolation) {
    Kernel[] kernels = kernels(image.width(), width, interpolation);
    Pixels resized = new Pixels(width, image.height(), image.channels());
    for (int y = 0; y < image.height(); y++) {
      for (int x = 0; x < width; x++) {
        Kernel kernel = kernels[x];
        for (int channel = 0; channel < image.channels(); channel++) {
          int sum = HALF;
          for (int i = 0; i < kernel.weights.length; i++) {
            sum += image.get(kernel.first + i, y, channel) * kernel.weights[i];
          }
          resized.set(x, y, channel, clip(sum));
        }
      }
    }
    return resized;
  }

  private static Pixels alongColumns(Pixels image, int height, Interpolation interpolation) {
    Kernel[] kernels = kernels(image.height(), height, interpolation);
    Pixels resized = new Pixels(image.width(), height, image.channels());
    for (int y = 0; y < height; y++) {
      Kernel kernel = kernels[y];
      for (int x = 0; x < image.width(); x++) {
        for (int channel = 0; channel < image.channels(); channel++) {
          int sum = HALF;
          for (int i = 0; i < kernel.weights.length; i++) {
            sum += image.get(x, kernel.first + i, channel) * kernel.weights[i];
          }
          resized.set(x, y, channel, clip(sum));
        }
      }
    }
    return resized;
  }

  private static int clip(int sum) {
    return Math.max(0, Math.min(255, sum >> PRECISION));
  }

  private static Kernel[] kernels(int from, int to, Interpolation interpolation) {
    double scale = (double) from / to;
    double filterScale = Math.max(scale, 1);
    double support = interpolation.support() * filterScale;
    Kernel[] kernels = new Kernel[to];
    for (int i = 0; i < to; i++) {
      double center = (i + 0.5) * scale;
      int first = Math.max(0, (int) (center - support + 0.5));
      int count = Math.min(from, (int) (center + support + 0.5)) - first;
      double[] weights = new double[count];
      double sum = 0;
      for (int x = 0; x < count; x++) {
        weights[x] = interpolation.weight((x + first - center + 0.5) * (1 / filterScale));
        sum += weights[x];
      }
      kernels[i] = new Kernel(first, rounded(weights, sum));
    }
    return kernels;
  }

  private static int[] rounded(double[] weights, double sum) {
    int[] rounded = new int[weights.length];
    for (int x = 0; x < weights.length; x++) {
      double weight = sum == 0 ? weights[x] : weights[x] / sum;
      rounded[x] = (int) ((weight < 0 ? -0.5 : 0.5) + weight * (1 << PRECISION));
    }
    return rounded;
  }
}
