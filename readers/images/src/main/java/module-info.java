/** Reads images as samples, scaled as PIL and torchvision scale them. */
module dev.kvant.readers.images {
  requires dev.kvant.numerics;
  requires java.desktop;
  requires transitive dev.kvant.spi;
  requires webp.imageio;
  requires static transitive org.jspecify;

  exports dev.kvant.readers.images;

  provides dev.kvant.spi.DataReaderProvider with
      dev.kvant.readers.images.ImageReaderProvider;
}
