package dev.kvant.runtime.data;

import dev.kvant.api.DataException;
import dev.kvant.api.ImageConfig;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import javax.imageio.IIOException;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;

/**
 * One image file as one sample.
 *
 * <p>The image is scaled to the size asked for, bilinearly and without regard to its aspect, and
 * each channel becomes {@code (value / 255 - mean) / std}. One mean makes it grey, with luma {@code
 * 0.299·R + 0.587·G + 0.114·B}; three keep red, green and blue.
 */
final class ImageReader implements SampleReader {

  private final Path file;
  private final ImageConfig config;
  private boolean read;

  ImageReader(Path file, ImageConfig config) {
    this.file = file;
    this.config = config;
  }

  @Override
  public Map<String, Tensor> next(int most) throws IOException {
    if (read) {
      return Map.of();
    }
    read = true;
    @Nullable BufferedImage image;
    try {
      image = ImageIO.read(file.toFile());
    } catch (IIOException e) {
      throw new DataException("%s is a damaged image: %s".formatted(file, e.getMessage()), e);
    }
    if (image == null) {
      throw new DataException("%s is not an image that can be read".formatted(file));
    }
    return Map.of(TensorBatch.SOLE_INPUT, tensor(image));
  }

  private Tensor tensor(BufferedImage image) {
    int height = config.size().get(0);
    int width = config.size().get(config.size().size() - 1);
    int[] pixels = scaled(image, width, height).getRGB(0, 0, width, height, null, 0, width);
    int channels = config.mean().size();
    boolean channelsFirst = config.layout().equals("NCHW");
    float[] values = new float[channels * pixels.length];
    for (int channel = 0; channel < channels; channel++) {
      double mean = config.mean().get(channel);
      double std = config.std().get(channel);
      for (int i = 0; i < pixels.length; i++) {
        int target = channelsFirst ? channel * pixels.length + i : i * channels + channel;
        values[target] = (float) ((value(pixels[i], channel, channels) / 255 - mean) / std);
      }
    }
    return channelsFirst
        ? Tensor.ofFloats(values, 1, channels, height, width)
        : Tensor.ofFloats(values, 1, height, width, channels);
  }

  private static double value(int rgb, int channel, int channels) {
    int red = rgb >> 16 & 0xFF;
    int green = rgb >> 8 & 0xFF;
    int blue = rgb & 0xFF;
    if (channels == 1) {
      return 0.299 * red + 0.587 * green + 0.114 * blue;
    }
    return channel == 0 ? red : channel == 1 ? green : blue;
  }

  private static BufferedImage scaled(BufferedImage image, int width, int height) {
    BufferedImage scaled = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = scaled.createGraphics();
    try {
      graphics.setRenderingHint(
          RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
      graphics.drawImage(image, 0, 0, width, height, null);
    } finally {
      graphics.dispose();
    }
    return scaled;
  }

  @Override
  public void close() {
    // The file was closed when it was read.
  }
}
