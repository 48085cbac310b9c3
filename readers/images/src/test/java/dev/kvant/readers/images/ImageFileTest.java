package dev.kvant.readers.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.DataException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("An image file")
class ImageFileTest {

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "rgb.png",
        "grey.png",
        "palette.png",
        "alpha.png",
        "rgb.jpg",
        "rgb.bmp",
        "lossless.webp",
        "lossy.webp"
      })
  void is_decoded_to_the_pixels_of_pillow(String name) throws IOException {
    Pixels pixels = ImageFile.read(Golden.image(name)).colored();

    assertThat(pixels.width()).isEqualTo(23);
    assertThat(pixels.height()).isEqualTo(17);
    assertThat(Golden.bytes(pixels))
        .isEqualTo(Golden.bytes(Golden.values().getAsJsonObject("decoded").get(name)));
  }

  @Test
  void in_colour_becomes_grey_as_in_pillow() throws IOException {
    Pixels pixels = ImageFile.read(Golden.image("rgb.png")).grey();

    assertThat(Golden.bytes(pixels)).isEqualTo(Golden.bytes(Golden.values().get("grey")));
  }

  @Test
  void is_recognized_by_its_content() throws IOException {
    Path file = Golden.copy("rgb.png", folder.resolve("picture.jpg"));

    assertThat(ImageFile.read(file).width()).isEqualTo(23);
  }

  @Test
  void of_no_known_kind_is_refused() throws IOException {
    Path file = Files.writeString(folder.resolve("a.png"), "no image");

    assertThatThrownBy(() -> ImageFile.read(file))
        .isInstanceOf(DataException.class)
        .hasMessage(file + " is not an image that can be read: PNG, JPEG, WebP, GIF and BMP can");
  }

  @Test
  void with_nothing_behind_its_signature_is_refused() throws IOException {
    byte[] png = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 'x', 'x'};
    Path file = Files.write(folder.resolve("broken.png"), png);

    assertThatThrownBy(() -> ImageFile.read(file))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith(file + " is a damaged image: ")
        .hasMessageNotContaining("Exception");
  }

  @ParameterizedTest
  @ValueSource(strings = {"rgb.png", "rgb.jpg", "rgb.bmp", "lossless.webp", "lossy.webp"})
  void that_ends_too_early_is_refused(String name) throws IOException {
    byte[] whole = Files.readAllBytes(Golden.image(name));
    Path file = Files.write(folder.resolve(name), Arrays.copyOf(whole, whole.length * 2 / 3));

    assertThatThrownBy(() -> ImageFile.read(file))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith(file + " is a damaged image: ");
  }

  @Test
  void with_16_bits_a_channel_is_refused() throws IOException {
    BufferedImage image = new BufferedImage(4, 2, BufferedImage.TYPE_USHORT_GRAY);
    Path file = folder.resolve("deep.png");
    ImageIO.write(image, "png", file.toFile());

    assertThatThrownBy(() -> ImageFile.read(file))
        .isInstanceOf(DataException.class)
        .hasMessage(file + " has 16 bits per channel; save it with 8");
  }

  @ParameterizedTest
  @ValueSource(ints = {BufferedImage.TYPE_USHORT_555_RGB, BufferedImage.TYPE_USHORT_565_RGB})
  void with_5_bits_a_channel_is_refused(int type) throws IOException {
    BufferedImage image = new BufferedImage(4, 2, type);
    image.setRGB(0, 0, 0xFFFFFF);
    Path file = folder.resolve("short.bmp");
    assertThat(ImageIO.write(image, "bmp", file.toFile())).isTrue();

    assertThatThrownBy(() -> ImageFile.read(file))
        .isInstanceOf(DataException.class)
        .hasMessage(file + " has 5 bits per channel; save it with 8");
  }

  @Test
  void of_black_and_white_has_the_values_0_and_255() throws IOException {
    BufferedImage image = new BufferedImage(4, 2, BufferedImage.TYPE_BYTE_BINARY);
    image.setRGB(1, 0, 0xFFFFFF);
    for (String format : List.of("png", "bmp")) {
      Path file = folder.resolve("binary." + format);
      assertThat(ImageIO.write(image, format, file.toFile())).isTrue();

      Pixels pixels = ImageFile.read(file).grey();

      assertThat(pixels.get(0, 0, 0)).isZero();
      assertThat(pixels.get(1, 0, 0)).isEqualTo(255);
    }
  }
}
