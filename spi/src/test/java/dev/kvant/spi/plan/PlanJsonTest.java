package dev.kvant.spi.plan;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.RuleReference;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlanJsonTest {

  private static final QuantizationPlan PLAN =
      new QuantizationPlan(
          "torchao",
          QuantizationMode.STATIC_PTQ,
          List.of(
              new ModuleDecision(
                  "encoder.\"ü\n",
                  "Linear",
                  true,
                  new OperandDecision(
                      Dtype.INT8,
                      Dtype.FP8_E5M2,
                      RuleReference.layer(2, "*.fc"),
                      List.of(RuleReference.defaults(), RuleReference.skip(0, "head")),
                      "no kernel",
                      Map.of("b.pth", "why b", "a.pth", "why a"),
                      new OperandSettings(
                          1,
                          CalibrationAlgorithm.PERCENTILE,
                          Map.of(
                              "percentile",
                              99.99,
                              "bins",
                              2048,
                              "large",
                              1L << 40,
                              "on",
                              true,
                              "name",
                              "x"))),
                  OperandDecision.untouched())),
          List.of(
              new QuantizationWarning(
                  QuantizationWarning.Kind.NO_MATCH,
                  "nothing",
                  RuleReference.layer(0, "x"),
                  List.of()),
              new QuantizationWarning(
                  QuantizationWarning.Kind.UNTIED, "apart", null, List.of("a", "b"))));

  @Test
  void a_plan_comes_back_as_it_was() {
    assertThat(PlanJson.read(PlanJson.write(PLAN), "test")).isEqualTo(PLAN);
  }

  @Test
  void the_text_does_not_depend_on_the_order_of_maps() {
    String text = new String(PlanJson.write(PLAN), UTF_8);

    assertThat(text).contains("\"version\": 1").containsSubsequence("a.pth", "b.pth");
    assertThat(text).containsSubsequence("bins", "large", "name", "on", "percentile");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{}",
        "{\"version\":1}",
        "{\"version\":\"x\"}",
        "{\"version\":1,\"backend\":\"b\",\"mode\":\"other\",\"modules\":[],\"warnings\":[]}",
        "{\"version\":1,\"backend\":\"b\",\"mode\":\"static_ptq\",\"modules\":[7],\"warnings\":[]}",
        "{\"version\":1,\"backend\":{},\"mode\":\"static_ptq\",\"modules\":[],\"warnings\":[]}",
        "{\"version\":1,\"backend\":\"b\",\"mode\":\"static_ptq\",\"modules\":[],\"warnings\":[{"
            + "\"kind\":\"OTHER_KIND\",\"message\":\"m\",\"rule\":null,\"modules\":[]}]}"
      })
  void other_text_is_an_error(String text) {
    assertThatThrownBy(() -> PlanJson.read(text.getBytes(UTF_8), "record 'x' of y.pth"))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("record 'x' of y.pth is no plan as Kvant writes it");
  }

  @Test
  void a_plan_of_a_newer_version_is_an_error_that_says_so() {
    assertThatThrownBy(() -> PlanJson.read("{\"version\":2}".getBytes(UTF_8), "test"))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("plan of version 2")
        .hasMessageContaining("use a newer one");
  }
}
