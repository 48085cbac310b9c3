package dev.kvant.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Label("A module pattern")
class ModulePatternTest {

  private static ModuleDescription module(List<String> names, List<String> types) {
    return new ModuleDescription(names, types, false, List.of());
  }

  private static boolean matches(String pattern, ModuleDescription module) {
    return ModulePattern.of(pattern).matches(module);
  }

  /** The cases of {@code interop/golden/fnmatch_cases.py}. */
  @Test
  void matches_what_pythons_fnmatchcase_matches() throws IOException {
    try (InputStream in = ModulePatternTest.class.getResourceAsStream("/golden/fnmatch.tsv")) {
      String cases = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
      assertThat(cases.lines())
          .hasSize(3000)
          .allSatisfy(
              line -> {
                List<String> columns = List.of(line.split("\t", -1));
                assertThat(ModulePattern.of(columns.get(0)).matches(columns.get(1)))
                    .isEqualTo(columns.get(2).equals("1"));
              });
    }
  }

  @Property
  void without_wildcards_matches_itself_alone(
      @ForAll
          @CharRange(from = 'a', to = 'z')
          @Chars({'.', '+', '(', '$', '\\', '^'})
          @StringLength(min = 1, max = 20)
          String name,
      @ForAll @CharRange(from = 'a', to = 'c') @StringLength(min = 1, max = 5) String more) {
    assertThat(ModulePattern.of(name).matches(name)).isTrue();
    assertThat(ModulePattern.of(name).matches(name + more)).isFalse();
    assertThat(ModulePattern.of(name).matches(more + name)).isFalse();
  }

  @Property
  void of_two_ends_and_a_star_matches_whatever_is_between(
      @ForAll @CharRange(from = 'a', to = 'z') @StringLength(max = 5) String start,
      @ForAll String between,
      @ForAll @CharRange(from = 'a', to = 'z') @StringLength(max = 5) String end) {
    assertThat(ModulePattern.of(start + "*" + end).matches(start + between + end)).isTrue();
  }

  @Test
  void matches_a_qualified_name_or_else_a_class() {
    ModuleDescription module = module(List.of("encoder.fc"), List.of("Linear"));

    assertThat(matches("encoder.*", module)).isTrue();
    assertThat(matches("Linear", module)).isTrue();
    assertThat(matches("fc", module)).isFalse();
    assertThat(matches("linear", module)).isFalse();
  }

  @Test
  void matches_any_of_several_names_and_classes() {
    ModuleDescription module = module(List.of("a", "b"), List.of("MatMul", "Linear"));

    assertThat(matches("b", module)).isTrue();
    assertThat(matches("Linear", module)).isTrue();
  }

  @Test
  void never_matches_the_root() {
    assertThat(matches("*", module(List.of(""), List.of("Sequential")))).isFalse();
    assertThat(matches("Sequential", module(List.of(""), List.of("Sequential")))).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "nn.Linear, Linear, true",
    "torch.nn.Linear, Linear, true",
    "torch.nn.modules.linear.Linear, Linear, true",
    "nn.Linear, Conv2d, false",
    "nn.linear, linear, false",
    "nn.linear, nn.linear, true",
    "cnn.Linear, Linear, false"
  })
  void drops_the_package_of_torchs_classes(String pattern, String type, boolean matches) {
    assertThat(ModulePattern.of(pattern).matchesType(type)).isEqualTo(matches);
  }

  @Test
  void drops_no_package_from_the_names_of_modules() {
    assertThat(matches("nn.Linear", module(List.of("nn.Linear"), List.of("Conv2d")))).isTrue();
    assertThat(matches("nn.Linear", module(List.of("Linear"), List.of("Conv2d")))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "\t"})
  void must_not_be_empty(String pattern) {
    assertThatThrownBy(() -> ModulePattern.of(pattern))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("pattern: must not be empty; use '*' to match every module");
  }

  @Test
  void is_written_as_it_was_and_equal_to_one_written_alike() {
    assertThat(ModulePattern.of("nn.Linear")).hasToString("nn.Linear");
    assertThat(ModulePattern.of("a*"))
        .isEqualTo(ModulePattern.of("a*"))
        .hasSameHashCodeAs(ModulePattern.of("a*"))
        .isNotEqualTo(ModulePattern.of("a?"));
  }
}
