package dev.kvant.readers.images;

import dev.kvant.api.ElementType;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.numerics.Float16;
import dev.kvant.readers.images.ImageFolder.LabelledImage;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.SampleBlock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Images as samples: each channel becomes {@code (value/255 - mean)/std}, computed in float32 as
 * torchvision's {@code ToTensor} and {@code Normalize} do; uint8 inputs take the values as they
 * are.
 */
final class ImageSamples implements DataReader {

  private final ImageFolder folder;
  private final ImageSettings settings;
  private int read;

  ImageSamples(ImageFolder folder, ImageSettings settings) {
    this.folder = folder;
    this.settings = settings;
  }

  @Override
  public OptionalLong count() {
    return OptionalLong.of(folder.images().size());
  }

  @Override
  public Optional<SampleBlock> next(int most) throws IOException {
    int count = Math.min(most, folder.images().size() - read);
    if (count == 0) {
      return Optional.empty();
    }
    List<LabelledImage> images = folder.images().subList(read, read + count);
    read += count;
    List<Integer> size = settings.crop() == null ? settings.size() : settings.crop();
    int height = size.get(0);
    int width = size.get(1);
    int channels = settings.mean().size();
    ByteBuffer data =
        ByteBuffer.allocate(
                Math.multiplyExact(
                    Math.multiplyExact(count * channels, height), width * settings.type().bytes()))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (LabelledImage image : images) {
      put(prepared(image.file()), data);
    }
    List<Long> shape =
        settings.channelsFirst()
            ? List.of((long) count, (long) channels, (long) height, (long) width)
            : List.of((long) count, (long) height, (long) width, (long) channels);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put(TensorBatch.SOLE_INPUT, Tensor.of(settings.type(), shape, data.flip()));
    if (folder.isLabelled()) {
      tensors.put(
          LABEL, Tensor.ofLongs(images.stream().mapToLong(LabelledImage::label).toArray(), count));
    }
    return Optional.of(SampleBlock.of(tensors));
  }

  private Pixels prepared(Path file) throws IOException {
    Pixels image = ImageFile.read(file);
    Pixels channels = settings.mean().size() == 1 ? image.grey() : image.colored();
    List<Integer> size = settings.size();
    int height = size.get(0);
    int width = size.get(size.size() - 1);
    if (size.size() == 1) {
      // As torchvision computes the longer side: rounded down.
      long shorter = Math.min(image.width(), image.height());
      height = (int) ((long) size.get(0) * image.height() / shorter);
      width = (int) ((long) size.get(0) * image.width() / shorter);
    }
    Pixels resized = Resizing.resize(channels, width, height, settings.interpolation());
    List<Integer> crop = settings.crop();
    return crop == null ? resized : resized.centerCrop(crop.get(1), crop.get(0));
  }

  private void put(Pixels image, ByteBuffer data) {
    if (settings.channelsFirst()) {
      for (int channel = 0; channel < image.channels(); channel++) {
        for (int y = 0; y < image.height(); y++) {
          for (int x = 0; x < image.width(); x++) {
            put(image.get(x, y, channel), channel, data);
          }
        }
      }
    } else {
      for (int y = 0; y < image.height(); y++) {
        for (int x = 0; x < image.width(); x++) {
          for (int channel = 0; channel < image.channels(); channel++) {
            put(image.get(x, y, channel), channel, data);
          }
        }
      }
    }
  }

  private void put(int value, int channel, ByteBuffer data) {
    if (settings.type().equals(ElementType.UINT8)) {
      data.put((byte) value);
      return;
    }
    float mean = settings.mean().get(channel).floatValue();
    float std = settings.std().get(channel).floatValue();
    float normalized = (value / 255f - mean) / std;
    if (settings.type().equals(ElementType.FLOAT16)) {
      data.putShort(Float16.fromFloat(normalized));
    } else {
      data.putFloat(normalized);
    }
  }

  @Override
  public void close() {
    // Each file is closed when it was read.
  }
}
