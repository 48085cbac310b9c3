package dev.kvant.torch;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.kvant.torch.tensor.StoredTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/** The model files of the test resources, and what PyTorch reads from them. */
final class TestModels {

  private TestModels() {}

  static Path path(String name) {
    URL url = TestModels.class.getResource("/models/" + name);
    assertThat(url).as(name).isNotNull();
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  static TorchModel open(String name) {
    return new TorchFormat().open(path(name));
  }

  static JsonObject expected(String name) {
    try {
      return JsonParser.parseString(Files.readString(path(name))).getAsJsonObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static List<Long> numbers(JsonElement array) {
    List<Long> numbers = new ArrayList<>();
    array.getAsJsonArray().forEach(number -> numbers.add(number.getAsLong()));
    return numbers;
  }

  static List<String> texts(JsonElement array) {
    List<String> texts = new ArrayList<>();
    array.getAsJsonArray().forEach(text -> texts.add(text.getAsString()));
    return texts;
  }

  static StoredTensor tensor(TorchModel model, String name) {
    return Optional.ofNullable(model.tensors().get(name))
        .orElseThrow(() -> new AssertionError("no tensor " + name));
  }

  static byte[] content(StoredTensor tensor) {
    ByteBuffer content = ByteBuffer.allocate(Math.toIntExact(tensor.bytes()));
    tensor.read(0, content);
    return content.array();
  }

  static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
