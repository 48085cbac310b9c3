package dev.kvant.maven;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.codehaus.plexus.configuration.DefaultPlexusConfiguration;
import org.codehaus.plexus.configuration.PlexusConfiguration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("A spec in a POM")
class InlineSpecTest {

  private static PlexusConfiguration element(String name, PlexusConfiguration... children) {
    PlexusConfiguration element = new DefaultPlexusConfiguration(name);
    List.of(children).forEach(element::addChild);
    return element;
  }

  private static PlexusConfiguration element(String name, String text) {
    return new DefaultPlexusConfiguration(name, text);
  }

  @Test
  void has_elements_as_keys_and_singulars_as_entries_of_lists() {
    PlexusConfiguration quantize =
        element(
            "quantize",
            element("backend", "onnx"),
            element(
                "layers",
                element(
                    "layer",
                    element("module_name", "Linear"),
                    element("weights", element("dtype", "int8")))),
            element("skip_names", element("skip_name", "head"), element("skip_name", "stem.*")),
            element("calibration", element("path", "data.npz"), element("batch_size", " 64 ")));

    assertThat(InlineSpec.document(quantize))
        .isEqualTo(
            Map.of(
                "quantize",
                Map.of(
                    "backend",
                    "onnx",
                    "layers",
                    List.of(Map.of("module_name", "Linear", "weights", Map.of("dtype", "int8"))),
                    "skip_names",
                    List.of("head", "stem.*"),
                    "calibration",
                    Map.of("path", "data.npz", "batch_size", 64))));
  }

  @ParameterizedTest
  @CsvSource({
    "true, java.lang.Boolean",
    "false, java.lang.Boolean",
    "-3, java.lang.Integer",
    "3000000000, java.lang.Long",
    "0.5, java.lang.Double",
    "1e-3, java.lang.Double",
    "int8, java.lang.String",
    "1.2.3, java.lang.String"
  })
  void has_values_of_the_type_that_they_look_like(String text, Class<?> type) {
    assertThat(InlineSpec.scalar(text)).isInstanceOf(type);
    assertThat(InlineSpec.scalar(text).toString().toLowerCase(java.util.Locale.ROOT))
        .isEqualTo(text.equals("1e-3") ? "0.001" : text);
  }

  @Test
  void has_an_empty_text_where_an_element_is_empty() {
    assertThat(InlineSpec.scalar(null)).isEqualTo("");
  }
}
