package dev.kvant.readers.images;

/** An image of 8 bits a channel, row by row, the channels of a pixel one after the other. */
final class Pixels {

  private final int width;
  private final int height;
  private final int channels;
  private final byte[] values;

  /** A black image. */
  Pixels(int width, int height, int channels) {
    this(width, height, channels, new byte[Math.multiplyExact(width * channels, height)]);
  }

  /** An image that takes over the values. */
  Pixels(int width, int height, int channels, byte[] values) {
    this.width = width;
    this.height = height;
    this.channels = channels;
    this.values = values;
  }

  int width() {
    return width;
  }

  int height() {
    return height;
  }

  int channels() {
    return channels;
  }

  /** The value of a channel, 0 to 255. */
  int get(int x, int y, int channel) {
    return values[(y * width + x) * channels + channel] & 0xFF;
  }

  void set(int x, int y, int channel, int value) {
    values[(y * width + x) * channels + channel] = (byte) value;
  }

  /**
   * The image in grey, as PIL computes it: {@code (19595·R + 38470·G + 7471·B + 32768) >> 16}, the
   * luma of ITU-R 601 rounded to the nearest.
   */
  Pixels grey() {
    if (channels == 1) {
      return this;
    }
    Pixels grey = new Pixels(width, height, 1);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int luma = 19595 * get(x, y, 0) + 38470 * get(x, y, 1) + 7471 * get(x, y, 2);
        grey.set(x, y, 0, (luma + 0x8000) >> 16);
      }
    }
    return grey;
  }

  /** The image in red, green and blue. */
  Pixels colored() {
    if (channels == 3) {
      return this;
    }
    Pixels colored = new Pixels(width, height, 3);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        for (int channel = 0; channel < 3; channel++) {
          colored.set(x, y, channel, get(x, y, 0));
        }
      }
    }
    return colored;
  }

  /**
   * The middle of the image, as torchvision's {@code CenterCrop} takes it: an image that is too
   * small gets black borders first, the odd one at the right and the bottom; half a pixel is
   * rounded to the even number.
   */
  Pixels centerCrop(int cropWidth, int cropHeight) {
    int left = padding(cropWidth, width);
    int top = padding(cropHeight, height);
    int x0 = offset(Math.max(width, cropWidth), cropWidth) - left;
    int y0 = offset(Math.max(height, cropHeight), cropHeight) - top;
    Pixels crop = new Pixels(cropWidth, cropHeight, channels);
    for (int y = Math.max(0, -y0); y < Math.min(cropHeight, height - y0); y++) {
      for (int x = Math.max(0, -x0); x < Math.min(cropWidth, width - x0); x++) {
        for (int channel = 0; channel < channels; channel++) {
          crop.set(x, y, channel, get(x + x0, y + y0, channel));
        }
      }
    }
    return crop;
  }

  private static int padding(int crop, int size) {
    return Math.max(0, (crop - size) / 2);
  }

  private static int offset(int size, int crop) {
    return (int) Math.rint((size - crop) / 2.0);
  }
}
