package dev.kvant.readers.images;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;

/**
 * Images, and what Pillow 13.0.0 and torchvision 0.29.2 make of them, written by {@code
 * interop/golden/make_image_golden.py}.
 */
final class Golden {

  private Golden() {}

  static JsonObject values() {
    try (InputStream in = Golden.class.getResourceAsStream("/images/golden.json");
        Reader reader = new InputStreamReader(Objects.requireNonNull(in), StandardCharsets.UTF_8)) {
      return new Gson().fromJson(reader, JsonObject.class);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Path image(String name) {
    try {
      return Path.of(Objects.requireNonNull(Golden.class.getResource("/images/" + name)).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  static Path copy(String name, Path target) throws IOException {
    Files.createDirectories(Objects.requireNonNull(target.getParent()));
    return Files.copy(image(name), target);
  }

  static byte[] bytes(JsonElement hex) {
    return HexFormat.of().parseHex(hex.getAsString());
  }

  static List<Integer> integers(JsonArray array) {
    List<Integer> integers = new ArrayList<>();
    array.forEach(element -> integers.add(element.getAsInt()));
    return integers;
  }

  static byte[] bytes(Pixels pixels) {
    byte[] bytes = new byte[pixels.width() * pixels.height() * pixels.channels()];
    int i = 0;
    for (int y = 0; y < pixels.height(); y++) {
      for (int x = 0; x < pixels.width(); x++) {
        for (int channel = 0; channel < pixels.channels(); channel++) {
          bytes[i++] = (byte) pixels.get(x, y, channel);
        }
      }
    }
    return bytes;
  }
}
