package dev.kvant.readers.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.DataException;
import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Tensor;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.DataRequest;
import dev.kvant.spi.Options;
import dev.kvant.spi.SampleBlock;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("Images as samples")
class ImageReaderProviderTest {

  private static final List<Double> MEAN = List.of(0.485, 0.456, 0.406);
  private static final List<Double> STD = List.of(0.229, 0.224, 0.225);

  @TempDir private Path folder;

  private final ImageReaderProvider provider = new ImageReaderProvider();

  private Options options(Map<String, Object> settings) {
    Map<String, Object> prefixed = new LinkedHashMap<>();
    settings.forEach((key, value) -> prefixed.put("images." + key, value));
    return Options.of(provider.descriptor().options(), prefixed);
  }

  private List<SampleBlock> read(
      Path path, Map<String, Object> settings, List<InputDescription> inputs, int most)
      throws IOException {
    List<SampleBlock> blocks = new ArrayList<>();
    var request = new DataRequest(path, options(settings), inputs, remark -> {});
    try (DataReader reader = provider.open(request)) {
      reader.next(most).ifPresent(blocks::add);
      while (!blocks.isEmpty()) {
        var next = reader.next(most);
        if (next.isEmpty()) {
          break;
        }
        blocks.add(next.get());
      }
    }
    return blocks;
  }

  private static Tensor input(SampleBlock block) {
    return Objects.requireNonNull(block.tensors().get("input"));
  }

  private Tensor input(Map<String, Object> settings, InputDescription... inputs)
      throws IOException {
    return input(read(folder, settings, List.of(inputs), 8).get(0));
  }

  private void write(String name, int rgb) throws IOException {
    BufferedImage image = new BufferedImage(4, 2, BufferedImage.TYPE_INT_RGB);
    for (int x = 0; x < 4; x++) {
      for (int y = 0; y < 2; y++) {
        image.setRGB(x, y, rgb);
      }
    }
    Path file = folder.resolve(name);
    Files.createDirectories(Objects.requireNonNull(file.getParent()));
    ImageIO.write(image, "png", file.toFile());
  }

  static Stream<Arguments> pipelines() {
    return StreamSupport.stream(Golden.values().getAsJsonArray("pipelines").spliterator(), false)
        .map(JsonElement::getAsJsonObject)
        .map(
            each ->
                Arguments.of(
                    each.get("file").getAsString(),
                    each.get("size").toString(),
                    each.get("crop").toString(),
                    each));
  }

  @ParameterizedTest(name = "{0}, size {1}, crop {2}")
  @MethodSource("pipelines")
  void have_the_values_of_torchvision(String file, String size, String crop, JsonObject expected)
      throws IOException {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("size", Golden.integers(expected.getAsJsonArray("size")));
    if (!expected.get("crop").isJsonNull()) {
      settings.put("crop", Golden.integers(expected.getAsJsonArray("crop")));
    }
    settings.put("interpolation", expected.get("interpolation").getAsString());
    settings.put("mean", MEAN);
    settings.put("std", STD);

    Tensor input = input(read(Golden.image(file), settings, List.of(), 8).get(0));

    List<Integer> shape = Golden.integers(expected.getAsJsonArray("shape"));
    assertThat(input.shape())
        .containsExactly(1L, (long) shape.get(0), (long) shape.get(1), (long) shape.get(2));
    float[] values = input.toFloats();
    for (int i = 0; i < values.length; i++) {
      assertThat(values[i]).isEqualTo(expected.getAsJsonArray("values").get(i).getAsFloat());
    }
  }

  @Test
  void have_their_channels_first_and_normalized() throws IOException {
    write("a.png", 0xFF0033);
    write("b.png", 0x000000);

    Tensor input =
        input(
            Map.of(
                "size", List.of(3), "mean", List.of(0.5, 0.0, 0.0), "std", List.of(0.5, 1.0, 2.0)));

    assertThat(input.shape()).containsExactly(2L, 3L, 3L, 3L);
    assertThat(input.toFloats()[0]).isEqualTo(1);
    assertThat(input.toFloats()[9]).isZero();
    assertThat(input.toFloats()[18]).isCloseTo(0.1f, within(1e-6f));
    assertThat(input.toFloats()[27]).isEqualTo(-1);
  }

  @Test
  void can_have_their_channels_last_and_another_size() throws IOException {
    write("a.png", 0xFF0000);

    Tensor input = input(Map.of("size", List.of(5, 6), "layout", "nhwc"));

    assertThat(input.shape()).containsExactly(1L, 5L, 6L, 3L);
    assertThat(input.toFloats()).startsWith(1, 0, 0, 1, 0, 0);
  }

  @Test
  void are_grey_when_there_is_one_mean() throws IOException {
    write("a.png", 0x00FF00);

    Tensor input = input(Map.of("size", List.of(2), "mean", List.of(0.0), "std", List.of(1.0)));

    assertThat(input.shape()).containsExactly(1L, 1L, 2L, 2L);
    assertThat(input.toFloats()[0]).isEqualTo(150 / 255f);
  }

  @Test
  void are_grey_when_there_is_one_deviation() throws IOException {
    write("a.png", 0x00FF00);
    assertThat(provider.validate(options(Map.of("std", List.of(0.5))))).isEmpty();

    Tensor input = input(Map.of("size", List.of(2), "std", List.of(0.5)));

    assertThat(input.shape()).containsExactly(1L, 1L, 2L, 2L);
    assertThat(input.toFloats()[0]).isEqualTo(300 / 255f);
  }

  @Test
  void have_one_deviation_or_three() {
    assertThat(provider.validate(options(Map.of("std", List.of(0.5, 0.5)))))
        .containsExactly(
            new ConfigurationProblem(
                "images.std",
                "must have one value for grey images or three for colours, but has 2"));
    assertThat(provider.validate(options(Map.of("std", STD)))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"1, 3, 6, 5", "-1, 3, 6, 5"})
  void take_size_and_layout_from_the_model(long batch, long channels, long height, long width)
      throws IOException {
    write("a.png", 0xFF0000);

    Tensor first =
        input(
            Map.of(),
            InputDescription.of("x", ElementType.FLOAT32, List.of(batch, channels, height, width)));
    Tensor last =
        input(
            Map.of(),
            InputDescription.of("x", ElementType.FLOAT32, List.of(batch, height, width, channels)));

    assertThat(first.shape()).containsExactly(1L, 3L, 6L, 5L);
    assertThat(last.shape()).containsExactly(1L, 6L, 5L, 3L);
  }

  @Test
  void are_grey_where_the_model_takes_one_channel() throws IOException {
    write("a.png", 0x00FF00);

    Tensor input =
        input(Map.of(), InputDescription.of("x", ElementType.FLOAT32, List.of(1L, 1L, 2L, 4L)));

    assertThat(input.shape()).containsExactly(1L, 1L, 2L, 4L);
    assertThat(input.toFloats()).containsOnly(150 / 255f);
  }

  @Test
  void are_given_as_they_are_where_the_model_takes_uint8() throws IOException {
    write("a.png", 0x01FE80);

    Tensor input =
        input(Map.of(), InputDescription.of("x", ElementType.UINT8, List.of(-1L, 2L, 4L, 3L)));

    assertThat(input.elementType()).isEqualTo(ElementType.UINT8);
    assertThat(input.data().get(1)).isEqualTo((byte) 0xFE);
  }

  @Test
  void cannot_be_normalized_where_the_model_takes_uint8() throws IOException {
    write("a.png", 0x01FE80);

    assertThatThrownBy(
            () ->
                input(
                    Map.of("mean", MEAN),
                    InputDescription.of("x", ElementType.UINT8, List.of(-1L, 2L, 4L, 3L))))
        .isInstanceOf(DataException.class)
        .hasMessage(
            "the model's input 'x' uint8[any, 2, 4, 3] takes pixels as they are; leave images.mean"
                + " and images.std out");
  }

  @Test
  void need_a_size_where_the_model_declares_none() throws IOException {
    write("a.png", 0x01FE80);

    assertThatThrownBy(
            () ->
                input(
                    Map.of(),
                    InputDescription.of("x", ElementType.FLOAT32, List.of(-1L, 3L, -1L, -1L))))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith("images.size must be set to a height and a width");
  }

  @Test
  void of_a_folder_for_each_class_are_labelled_in_the_order_of_names() throws IOException {
    write("cats/2.png", 0x00FF00);
    write("cats/1.png", 0xFF0000);
    write("birds/deep/1.png", 0x0000FF);

    List<SampleBlock> blocks = read(folder, Map.of("size", List.of(1)), List.of(), 2);

    assertThat(blocks).hasSize(2);
    assertThat(Objects.requireNonNull(blocks.get(0).tensors().get("label")).toLongs())
        .containsExactly(0, 1);
    assertThat(Objects.requireNonNull(blocks.get(1).tensors().get("label")).toLongs())
        .containsExactly(1);
    assertThat(input(blocks.get(0)).toFloats()).containsExactly(0, 0, 1, 1, 0, 0);
    assertThat(input(blocks.get(1)).toFloats()).containsExactly(0, 1, 0);
  }

  @Test
  void of_a_class_without_images_are_missed() throws IOException {
    write("cats/2.png", 0x00FF00);
    Files.createDirectory(folder.resolve("birds"));

    assertThatThrownBy(() -> read(folder, Map.of("size", List.of(1)), List.of(), 2))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith("there is no image in " + folder.resolve("birds"));
  }

  @Test
  void of_an_empty_folder_are_missed() {
    assertThatThrownBy(() -> read(folder, Map.of("size", List.of(1)), List.of(), 2))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith("there is no file in %s that ends in one of bmp".formatted(folder));
  }

  @Test
  void name_the_one_that_is_damaged() throws IOException {
    write("a.png", 0);
    Path damaged = Files.writeString(folder.resolve("b.png"), "no image");

    assertThatThrownBy(() -> read(folder, Map.of("size", List.of(1)), List.of(), 2))
        .isInstanceOf(DataException.class)
        .hasMessageStartingWith(damaged.toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "size | 0 | images.size[0] | must be greater than 0",
        "crop | 8 | images.size | is required with a crop: the shorter side, or a height and a width",
        "layout | CHWN | images.layout | must be NCHW or NHWC"
      })
  void have_settings_that_are_checked(String key, String value, String path, String message) {
    Object setting = value.matches("\\d+") ? (Object) Integer.parseInt(value) : value;

    assertThat(provider.validate(options(Map.of(key, setting))))
        .containsExactly(new ConfigurationProblem(path, message));
  }

  @Test
  void have_as_many_means_as_deviations_and_none_of_them_zero() {
    assertThat(
            provider.validate(
                options(Map.of("mean", List.of(0.5, 0.5), "std", List.of(1.0, 0.0, 1.0)))))
        .extracting(ConfigurationProblem::path)
        .containsExactly("images.mean", "images.std", "images.std");
  }

  @Test
  void are_recognized_by_the_names_of_files() throws IOException {
    assertThat(provider.recognizes(folder)).isFalse();
    Files.writeString(folder.resolve("a.txt"), "");
    assertThat(provider.recognizes(folder)).isFalse();
    write("cats/1.png", 0);
    assertThat(provider.recognizes(folder)).isTrue();
    assertThat(provider.recognizes(folder.resolve("cats/1.png"))).isTrue();
  }
}
