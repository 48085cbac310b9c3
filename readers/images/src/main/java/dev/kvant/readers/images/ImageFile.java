package dev.kvant.readers.images;

import com.luciad.imageio.webp.WebPImageReaderSpi;
import dev.kvant.api.DataException;
import dev.kvant.api.UnavailableException;
import dev.kvant.spi.RegularFile;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.FileImageInputStream;

/**
 * Decodes image files to the values that PIL decodes them to: those of the file, without regard to
 * colour profiles, orientation and transparency.
 */
final class ImageFile {

  /** Readers of the JDK, whatever an application has registered beside them. */
  private static final String OF_THE_JDK = "com.sun.imageio.";

  private ImageFile() {}

  /**
   * Decodes a file; its content tells its format.
   *
   * @return one channel for grey images, else red, green and blue
   * @throws DataException if it is no image, damaged, or of a kind that is not read
   */
  static Pixels read(Path file) throws IOException {
    String format = format(file);
    ImageReader reader = reader(format);
    List<String> warnings = new ArrayList<>();
    try (FileImageInputStream stream = new FileImageInputStream(file.toFile())) {
      reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
      reader.setInput(stream, true, true);
      BufferedImage image = reader.read(0);
      if (!warnings.isEmpty() && isCut(file, format)) {
        throw new DataException("%s is a damaged image: it ends too early".formatted(file));
      }
      return pixels(file, image);
    } catch (LinkageError e) {
      throw new UnavailableException(
          "%s cannot be decoded: the native library for WebP is missing here: %s"
              .formatted(file, e),
          e);
    } catch (IOException | RuntimeException e) {
      if (e instanceof DataException) {
        throw e;
      }
      // Decoders answer damaged files with all kinds of exceptions.
      throw new DataException("%s is a damaged image: %s".formatted(file, reason(e)), e);
    } finally {
      reader.dispose();
    }
  }

  private static String reason(Exception e) {
    String message = e.getMessage();
    return message == null ? "it ends too early or has values that cannot be" : message;
  }

  private static String format(Path file) throws IOException {
    byte[] start;
    try (InputStream in = RegularFile.stream(file)) {
      start = in.readNBytes(16);
    }
    String text = new String(start, StandardCharsets.ISO_8859_1);
    if (text.startsWith("\u0089PNG\r\n")) {
      return "png";
    }
    if (text.startsWith("\u00FF\u00D8\u00FF")) {
      return "jpeg";
    }
    if (text.startsWith("GIF8")) {
      return "gif";
    }
    if (text.startsWith("BM")) {
      return "bmp";
    }
    if (text.startsWith("RIFF") && text.startsWith("WEBP", 8)) {
      return "webp";
    }
    throw new DataException(
        "%s is not an image that can be read: PNG, JPEG, WebP, GIF and BMP can".formatted(file));
  }

  private static ImageReader reader(String format) throws IOException {
    if (format.equals("webp")) {
      return new WebPImageReaderSpi().createReaderInstance(null);
    }
    Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
    while (readers.hasNext()) {
      ImageReader reader = readers.next();
      if (reader.getClass().getName().startsWith(OF_THE_JDK)) {
        return reader;
      }
    }
    throw new UnavailableException("this Java has no reader of %s images".formatted(format));
  }

  /** The JDK decodes a JPEG that ends too early as far as it goes, and warns. */
  private static boolean isCut(Path file, String format) throws IOException {
    if (!format.equals("jpeg")) {
      return false;
    }
    byte[] content = Files.readAllBytes(file);
    for (int i = content.length - 1; i > 0; i--) {
      if (content[i] == (byte) 0xD9 && content[i - 1] == (byte) 0xFF) {
        return false;
      }
    }
    return true;
  }

  private static Pixels pixels(Path file, BufferedImage image) {
    Raster raster = image.getRaster();
    if (image.getColorModel() instanceof IndexColorModel palette) {
      return withPalette(raster, palette);
    }
    for (int bits : image.getSampleModel().getSampleSize()) {
      if (bits != 8) {
        throw new DataException("%s has %d bits per channel; save it with 8".formatted(file, bits));
      }
    }
    int bands = raster.getNumBands();
    int channels = bands < 3 ? 1 : 3;
    Pixels pixels = new Pixels(image.getWidth(), image.getHeight(), channels);
    int[] row = new int[image.getWidth()];
    for (int channel = 0; channel < channels; channel++) {
      for (int y = 0; y < image.getHeight(); y++) {
        raster.getSamples(raster.getMinX(), raster.getMinY() + y, row.length, 1, channel, row);
        for (int x = 0; x < row.length; x++) {
          pixels.set(x, y, channel, row[x]);
        }
      }
    }
    return pixels;
  }

  private static Pixels withPalette(Raster raster, IndexColorModel palette) {
    Pixels pixels = new Pixels(raster.getWidth(), raster.getHeight(), 3);
    for (int y = 0; y < raster.getHeight(); y++) {
      for (int x = 0; x < raster.getWidth(); x++) {
        int rgb = palette.getRGB(raster.getSample(raster.getMinX() + x, raster.getMinY() + y, 0));
        pixels.set(x, y, 0, rgb >> 16);
        pixels.set(x, y, 1, rgb >> 8);
        pixels.set(x, y, 2, rgb);
      }
    }
    return pixels;
  }
}
