package dev.kvant.readers.images;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("Scaling an image")
class ResizingTest {

  static Stream<Arguments> scaled() {
    return StreamSupport.stream(Golden.values().getAsJsonArray("resized").spliterator(), false)
        .map(JsonElement::getAsJsonObject)
        .map(
            scaled ->
                Arguments.of(
                    scaled.get("interpolation").getAsString(),
                    scaled.get("width").getAsInt(),
                    scaled.get("height").getAsInt(),
                    scaled));
  }

  @ParameterizedTest(name = "{0} to {1} by {2}")
  @MethodSource("scaled")
  void gives_the_pixels_of_pillow(String filter, int width, int height, JsonObject expected)
      throws IOException {
    Pixels image = ImageFile.read(Golden.image("rgb.png"));

    Pixels resized = Resizing.resize(image, width, height, Interpolation.of(filter));

    assertThat(Golden.bytes(resized)).isEqualTo(Golden.bytes(expected.get("values")));
  }

  @Test
  void to_its_own_size_changes_nothing() throws IOException {
    Pixels image = ImageFile.read(Golden.image("rgb.png"));

    assertThat(Resizing.resize(image, 23, 17, Interpolation.LANCZOS)).isSameAs(image);
  }
}
