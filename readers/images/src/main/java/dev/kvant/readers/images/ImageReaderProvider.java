package dev.kvant.readers.images;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.DataReaderDescriptor;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.DataRequest;
import dev.kvant.spi.Options;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Reads PNG, JPEG, WebP, GIF and BMP images as samples. A folder for each class labels them.
 *
 * @since 0.1.0
 */
public final class ImageReaderProvider implements DataReaderProvider {

  /** For {@link java.util.ServiceLoader}. */
  public ImageReaderProvider() {}

  @Override
  public DataReaderDescriptor descriptor() {
    return new DataReaderDescriptor(
        "images",
        "Reads a folder of PNG, JPEG, WebP, GIF or BMP images, or of a folder for each class.",
        ImageSettings.OPTIONS);
  }

  @Override
  public boolean recognizes(Path path) throws IOException {
    return ImageFolder.exists(path);
  }

  @Override
  public List<ConfigurationProblem> validate(Options options) {
    return ImageSettings.problems(options);
  }

  @Override
  public DataReader open(DataRequest request) throws IOException {
    return new ImageSamples(ImageFolder.list(request.path()), ImageSettings.of(request));
  }
}
