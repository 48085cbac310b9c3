package dev.kvant.runtime.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The documents of {@code interop/golden/omegaconf_cases.py}, with what OmegaConf made of them. */
class OmegaConfGoldenTest {

  private static final Map<String, String> ENVIRONMENT = Map.of("KVANT_SET", "5");

  private record Case(String document, @Nullable Object value, boolean error) {
    @Override
    public String toString() {
      return document.replace("\n", "\\n");
    }
  }

  static Stream<Case> readable() throws IOException {
    return cases().stream().filter(one -> !one.error());
  }

  static Stream<Case> refused() throws IOException {
    return cases().stream().filter(Case::error);
  }

  private static List<Case> cases() throws IOException {
    try (InputStream in =
        OmegaConfGoldenTest.class.getResourceAsStream("/golden/omegaconf.jsonl")) {
      String lines = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
      return lines.lines().map(OmegaConfGoldenTest::parse).toList();
    }
  }

  private static Case parse(String json) {
    // JSON is YAML.
    Map<String, Object> fields = new Yaml(new SafeConstructor(new LoaderOptions())).load(json);
    return new Case(
        String.valueOf(fields.get("document")),
        withoutNulls(fields.get("value")),
        fields.containsKey("error"));
  }

  private static @Nullable Object withoutNulls(@Nullable Object value) {
    if (value instanceof Map<?, ?> map) {
      Map<Object, Object> kept = new LinkedHashMap<>();
      map.forEach(
          (key, entry) -> {
            Object inner = withoutNulls(entry);
            if (inner != null) {
              kept.put(key, inner);
            }
          });
      return kept;
    }
    return value;
  }

  private static @Nullable Object read(String document) throws Unresolvable {
    Node root = Objects.requireNonNull(YamlReader.read(document, "the document"));
    return JavaValues.of(new Located(KeyPath.ROOT, root), new Interpolator(root, ENVIRONMENT::get));
  }

  @ParameterizedTest
  @MethodSource
  void readable(Case one) throws Unresolvable {
    assertThat(read(one.document())).isEqualTo(one.value());
  }

  @ParameterizedTest
  @MethodSource
  void refused(Case one) {
    assertThatThrownBy(() -> read(one.document()))
        .isInstanceOfAny(Unresolvable.class, dev.kvant.api.InvalidConfigurationException.class);
  }
}
