package dev.kvant.runtime.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.kvant.api.ActivationQuantizationConfig;
import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.Granularity;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.LayerQuantizationConfig;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDecision;
import dev.kvant.api.OperandDecision;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.api.RuleReference;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorDescription;
import dev.kvant.api.WeightQuantizationConfig;
import dev.kvant.runtime.FakeBackend;
import dev.kvant.runtime.FakeModel;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("A plan")
class PlannerTest {

  private final FakeModel model =
      new FakeModel()
          .withoutWeights("encoder", "Sequential")
          .with("encoder.conv", "Conv2d")
          .with("encoder.norm", "BatchNorm2d")
          .withoutWeights("encoder.act", "ReLU")
          .with("encoder.fc1", "Linear")
          .with("encoder.fc2", "Linear")
          .with("emb", "Embedding")
          .with("head", "Linear");

  private static ModelQuantizationConfig.Builder config() {
    return ModelQuantizationConfig.builder().backend("fake").mode(QuantizationMode.WEIGHT_ONLY_PTQ);
  }

  private static ModelQuantizationConfig.Builder staticConfig() {
    return config().mode(QuantizationMode.STATIC_PTQ);
  }

  private static QuantizationPlan plan(ModelQuantizationConfig.Builder config, FakeModel model) {
    return new Planner(config.build(), FakeBackend.calibratable("fake")).plan(model);
  }

  private QuantizationPlan plan(ModelQuantizationConfig.Builder config) {
    return plan(config, model);
  }

  private static OperandDecision weights(QuantizationPlan plan, String module) {
    return plan.module(module).orElseThrow().weights();
  }

  private static OperandDecision activations(QuantizationPlan plan, String module) {
    return plan.module(module).orElseThrow().activations();
  }

  private static List<String> quantized(QuantizationPlan plan) {
    return plan.quantized().stream().map(ModuleDecision::module).toList();
  }

  private static List<String> warnings(QuantizationPlan plan) {
    return plan.warnings().stream().map(QuantizationWarning::message).toList();
  }

  private static LayerQuantizationConfig weightsOnly(
      String pattern, WeightQuantizationConfig weights) {
    return new LayerQuantizationConfig(pattern, weights, null);
  }

  @Test
  void has_a_decision_for_every_module_with_weights_in_the_models_order() {
    assertThat(plan(config().layer("*", Dtype.INT8)).modules())
        .extracting(ModuleDecision::module)
        .containsExactly(
            "encoder.conv", "encoder.norm", "encoder.fc1", "encoder.fc2", "emb", "head");
  }

  @Test
  void takes_modules_by_their_qualified_name_or_their_class() {
    assertThat(quantized(plan(config().layer("*.fc?", Dtype.INT8))))
        .containsExactly("encoder.fc1", "encoder.fc2");
    assertThat(quantized(plan(config().layer("nn.Linear", Dtype.INT8))))
        .containsExactly("encoder.fc1", "encoder.fc2", "head");
  }

  @ParameterizedTest
  @CsvSource({"0,4", "4,0", "0,4611686018427387904", "4611686018427387904,0"})
  void leaves_an_empty_weight_native(long rows, long columns) {
    FakeModel model =
        new FakeModel()
            .with(
                "fc",
                "Linear",
                new TensorDescription("weight", ElementType.FLOAT32, List.of(rows, columns), "s"))
            .with("out", "Linear");

    QuantizationPlan plan = plan(config().layer("*", Dtype.INT8), model);

    assertThat(quantized(plan)).containsExactly("out");
    assertThat(weights(plan, "fc").reason())
        .isEqualTo("its weight is empty, shape [%d, %d]".formatted(rows, columns));
  }

  private static FakeModel withBrackets() {
    return new FakeModel()
        .with("layers[0]/mm", "Linear")
        .with("layers0/mm", "Linear")
        .with("layers[1]/mm", "Linear")
        .with("what?", "Linear")
        .with("whatX", "Linear");
  }

  @Test
  void takes_a_rule_that_is_the_name_of_a_module_for_that_name() {
    assertThat(quantized(plan(config().layer("layers[0]/mm", Dtype.INT8), withBrackets())))
        .containsExactly("layers[0]/mm");
    assertThat(quantized(plan(config().layer("what?", Dtype.INT8), withBrackets())))
        .containsExactly("what?");
  }

  @Test
  void takes_a_rule_that_is_no_name_for_a_pattern() {
    assertThat(quantized(plan(config().layer("layers[[]?]/mm", Dtype.INT8), withBrackets())))
        .containsExactly("layers[0]/mm", "layers[1]/mm");
    assertThat(quantized(plan(config().layer("layers[01]/mm", Dtype.INT8), withBrackets())))
        .containsExactly("layers0/mm");
  }

  @Test
  void skips_and_corrects_classes_by_exact_names_too() {
    QuantizationPlan plan =
        plan(
            config().layer("Linear", Dtype.INT8).skip("layers[1]/mm").moduleClass("what?", "Other"),
            withBrackets());

    assertThat(quantized(plan)).containsExactly("layers[0]/mm", "layers0/mm", "whatX");
    assertThat(warnings(plan)).isEmpty();
  }

  @Test
  void says_what_a_bracket_is_where_a_pattern_with_one_matches_nothing() {
    assertThatThrownBy(() -> plan(config().layer("layers[0]/m*", Dtype.INT8)))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessageContaining("write '[[]' for the bracket itself");
  }

  @Test
  void says_which_rule_decided() {
    OperandDecision decision =
        weights(plan(config().layer("emb", Dtype.INT8).layer("head", Dtype.INT8)), "head");

    assertThat(decision.decidedBy()).isEqualTo(RuleReference.layer(1, "head"));
    assertThat(decision.overrode()).isEmpty();
    assertThat(decision.reason()).isNull();
  }

  @Test
  void leaves_alone_what_no_rule_speaks_about() {
    assertThat(weights(plan(config().layer("head", Dtype.INT8)), "emb"))
        .isEqualTo(OperandDecision.untouched());
  }

  @Test
  void lets_later_rules_win_and_remembers_whom_they_overrode() {
    QuantizationPlan plan =
        plan(
            config()
                .layer("*", Dtype.INT8)
                .layer("Linear", Dtype.FP8_E5M2)
                .layer("head", Dtype.INT8));

    assertThat(weights(plan, "emb").dtype()).isEqualTo(Dtype.INT8);
    assertThat(weights(plan, "encoder.fc1").dtype()).isEqualTo(Dtype.FP8_E5M2);
    assertThat(weights(plan, "encoder.fc1").overrode())
        .containsExactly(RuleReference.layer(0, "*"));
    // The first rule asked for the same, so it was not overridden in anything.
    assertThat(weights(plan, "head").dtype()).isEqualTo(Dtype.INT8);
    assertThat(weights(plan, "head").overrode()).containsExactly(RuleReference.layer(1, "Linear"));
  }

  @Test
  void keeps_of_earlier_rules_what_a_later_one_does_not_mention() {
    QuantizationPlan plan =
        plan(
            staticConfig().layer("Linear", Dtype.INT8, Dtype.INT8).layer("head", Dtype.FP8_E4M3FN));

    assertThat(weights(plan, "head").dtype()).isEqualTo(Dtype.FP8_E4M3FN);
    assertThat(activations(plan, "head").dtype()).isEqualTo(Dtype.INT8);
    assertThat(activations(plan, "head").decidedBy()).isEqualTo(RuleReference.layer(0, "Linear"));
  }

  @Test
  void keeps_the_dtype_when_a_later_rule_only_says_how() {
    QuantizationPlan plan =
        plan(
            staticConfig()
                .layer(
                    weightsOnly(
                        "Linear",
                        new WeightQuantizationConfig(
                            Dtype.INT8, 0, "entropy", Map.of("bins", 2048))))
                .layer(weightsOnly("head", new WeightQuantizationConfig(null, 1, null, Map.of()))));

    assertThat(weights(plan, "head").dtype()).isEqualTo(Dtype.INT8);
    assertThat(weights(plan, "head").settings())
        .isEqualTo(
            new OperandSettings(
                Granularity.axis(1), CalibrationAlgorithm.ENTROPY, Map.of("bins", 2048)));
    assertThat(weights(plan, "encoder.fc1").settings().granularity())
        .isEqualTo(Granularity.axis(0));
  }

  @Test
  void does_not_give_the_options_of_one_algorithm_to_another() {
    QuantizationPlan plan =
        plan(
            staticConfig()
                .layer(
                    weightsOnly(
                        "Linear",
                        new WeightQuantizationConfig(
                            Dtype.INT8, null, "entropy", Map.of("bins", 2048))))
                .layer(
                    weightsOnly(
                        "head", new WeightQuantizationConfig(null, null, "max", Map.of()))));

    assertThat(weights(plan, "head").settings()).isEqualTo(OperandSettings.DEFAULT);
  }

  @Test
  void takes_the_configurations_algorithm_where_a_rule_names_none() {
    QuantizationPlan plan =
        plan(staticConfig().algorithm(CalibrationAlgorithm.ENTROPY).layer("head", Dtype.INT8));

    assertThat(weights(plan, "head").settings().algorithm())
        .isEqualTo(CalibrationAlgorithm.ENTROPY);
  }

  @Test
  void switches_off_what_a_later_rule_calls_native() {
    QuantizationPlan plan = plan(config().layer("Linear", Dtype.INT8).layer("head", Dtype.NATIVE));

    assertThat(quantized(plan)).containsExactly("encoder.fc1", "encoder.fc2");
    assertThat(weights(plan, "head").decidedBy()).isEqualTo(RuleReference.layer(1, "head"));
    assertThat(weights(plan, "head").overrode()).containsExactly(RuleReference.layer(0, "Linear"));
    assertThat(plan.warnings()).isEmpty();
  }

  @Test
  void takes_out_what_is_skipped_after_all_rules() {
    QuantizationPlan plan =
        plan(config().layer("Linear", Dtype.INT8).skip("nothing*").skip("*.fc1").skip("head"));

    assertThat(quantized(plan)).containsExactly("encoder.fc2");
    assertThat(weights(plan, "head").decidedBy()).isEqualTo(RuleReference.skip(2, "head"));
    assertThat(weights(plan, "head").overrode()).containsExactly(RuleReference.layer(0, "Linear"));
  }

  /** A model between whose modules operators without weights compute. */
  private static FakeModel withOperators() {
    return new FakeModel()
        .with("fc1", "Linear")
        .withOperator("sum", "Add")
        .withOperator("other/sum", "Add")
        .withOperator("curve", "Tanh")
        .with("fc2", "Linear");
  }

  @Test
  void says_nothing_of_operators_without_weights_that_rules_do_not_steer() {
    assertThat(plan(staticConfig().layer("*", Dtype.INT8), withOperators()).operators()).isEmpty();
    assertThat(plan(staticConfig().layer("Linear", Dtype.INT8), withOperators()).operators())
        .isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "Add, 'sum,other/sum'",
    "sum, sum",
    "other*, other/sum",
    "*, 'sum,other/sum'",
    "Tanh, ''"
  })
  void keeps_operators_native_that_are_skipped_and_could_be_quantized(String skip, String names) {
    QuantizationPlan plan =
        plan(staticConfig().layer("Linear", Dtype.INT8).skip(skip), withOperators());

    assertThat(plan.operators().stream().map(ModuleDecision::module))
        .containsExactlyElementsOf(names.isEmpty() ? List.of() : List.of(names.split(",")));
    assertThat(plan.operators())
        .allSatisfy(
            operator -> {
              assertThat(operator.isQuantized()).isFalse();
              assertThat(operator.weights()).isEqualTo(OperandDecision.untouched());
              assertThat(operator.activations().decidedBy()).isEqualTo(RuleReference.skip(0, skip));
            });
    assertThat(plan.modules()).hasSize(2);
    assertThat(warnings(plan)).noneMatch(warning -> warning.startsWith("skip_names"));
  }

  @Test
  void keeps_operators_native_that_a_rule_wants_native_or_of_a_dtype_that_they_cannot_have() {
    QuantizationPlan plan =
        plan(
            staticConfig()
                .layer("Linear", Dtype.INT8)
                .layer(activationsOf("sum", Dtype.NATIVE))
                .layer(activationsOf("other*", Dtype.FP8_E4M3FN)),
            withOperators().with("other", "Linear"));

    assertThat(plan.operators().stream().map(ModuleDecision::activations))
        .extracting(OperandDecision::dtype, OperandDecision::reason)
        .containsExactly(
            tuple(Dtype.NATIVE, null), tuple(Dtype.NATIVE, "Add takes int8 and no fp8_e4m3fn"));
  }

  @Test
  void gives_operators_the_algorithm_that_a_rule_gives_them() {
    QuantizationPlan plan =
        plan(
            staticConfig()
                .layer("Linear", Dtype.INT8)
                .layer(
                    new LayerQuantizationConfig(
                        "sum",
                        null,
                        new ActivationQuantizationConfig(Dtype.INT8, null, "entropy", Map.of()))),
            withOperators());

    assertThat(plan.operators())
        .singleElement()
        .satisfies(
            operator -> {
              assertThat(operator.isQuantized()).isTrue();
              assertThat(operator.activations().settings().algorithm())
                  .isEqualTo(CalibrationAlgorithm.ENTROPY);
            });
  }

  @Test
  void refuses_a_rule_for_the_weights_of_operators_without_any() {
    assertThatThrownBy(() -> plan(config().layer("Add", Dtype.INT8), withOperators()))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessageContaining(
            "'Add' matches only modules without weights of their own: sum (Add), other/sum (Add)");
  }

  @Test
  void refuses_a_rule_for_operators_that_cannot_be_quantized() {
    assertThatThrownBy(
            () -> plan(staticConfig().layer(activationsOf("Tanh", Dtype.INT8)), withOperators()))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessageContaining("curve (Tanh): there is no kernel for Tanh");
  }

  private static LayerQuantizationConfig activationsOf(String pattern, Dtype dtype) {
    return new LayerQuantizationConfig(pattern, null, ActivationQuantizationConfig.of(dtype));
  }

  @Test
  void skips_by_class_too() {
    assertThat(quantized(plan(config().layer("*", Dtype.INT8).skip("Linear").skip("Conv?d"))))
        .containsExactly("emb");
  }

  @Test
  void warns_once_of_all_skips_that_match_nothing() {
    QuantizationPlan plan =
        plan(config().layer("Linear", Dtype.INT8).skip("stem*").skip("head").skip("LayerNorm"));

    assertThat(warnings(plan))
        .containsExactly("skip_names that match no module: 'stem*', 'LayerNorm'");
  }

  @Test
  void warns_of_skips_that_match_a_container_and_nothing_in_it() {
    assertThat(warnings(plan(config().layer("Linear", Dtype.INT8).skip("encoder"))))
        .containsExactly(
            "skip_names that match only modules without weights of their own: 'encoder'; to skip"
                + " what is inside of a module, write 'NAME.*'");
  }

  @Test
  void keeps_native_what_cannot_be_quantized_and_warns_once_a_rule() {
    QuantizationPlan plan = plan(config().layer("*", Dtype.INT8));

    OperandDecision norm = weights(plan, "encoder.norm");
    assertThat(norm.dtype()).isEqualTo(Dtype.NATIVE);
    assertThat(norm.requested()).isEqualTo(Dtype.INT8);
    assertThat(norm.reason()).isEqualTo("there is no kernel for BatchNorm2d");
    assertThat(plan.warnings())
        .containsExactly(
            new QuantizationWarning(
                QuantizationWarning.Kind.NOT_QUANTIZABLE,
                "layers[0] '*': 1 module stays native: encoder.norm (BatchNorm2d): there is no"
                    + " kernel for BatchNorm2d",
                RuleReference.layer(0, "*"),
                List.of("encoder.norm")));
  }

  @Test
  void groups_modules_by_reason_and_names_a_few() {
    FakeModel many = new FakeModel().with("fc", "Linear").with("ln", "LayerNorm");
    for (int i = 0; i < 7; i++) {
      many.with("bn" + i, "BatchNorm1d");
    }

    assertThat(warnings(plan(config().layer("*", Dtype.INT8), many)))
        .containsExactly(
            "layers[0] '*': 8 modules stay native: ln (LayerNorm): there is no kernel for"
                + " LayerNorm; 7 BatchNorm1d, such as bn0 and bn1: there is no kernel for"
                + " BatchNorm1d");
  }

  @Test
  void does_not_warn_of_vectors_that_a_pattern_matches_along_with_others() {
    TensorDescription vector =
        new TensorDescription("weight", ElementType.FLOAT32, List.of(4L), "norm");
    FakeModel model =
        new FakeModel()
            .with("fc", "Linear")
            .with("bn", "BatchNorm1d")
            .with("ln", "LayerNorm", vector);

    QuantizationPlan plan = plan(config().layer("*", Dtype.INT8), model);

    assertThat(warnings(plan))
        .containsExactly(
            "layers[0] '*': 1 module stays native: bn (BatchNorm1d): there is no kernel for"
                + " BatchNorm1d");
    assertThat(weights(plan, "ln").reason()).isEqualTo("there is no kernel for LayerNorm");
    assertThat(
            warnings(
                plan(
                    config().layer("fc", Dtype.INT8).layer("ln", Dtype.INT8).strict(false), model)))
        .singleElement()
        .asString()
        .contains("ln (LayerNorm): there is no kernel for LayerNorm");
  }

  @Test
  void does_not_warn_of_modules_that_are_skipped_or_overridden_anyway() {
    assertThat(plan(config().layer("*", Dtype.INT8).skip("BatchNorm?d")).warnings()).isEmpty();
    assertThat(plan(config().layer("*", Dtype.INT8).layer("*.norm", Dtype.NATIVE)).warnings())
        .isEmpty();
  }

  @Test
  void says_which_artifacts_keep_an_operand_native() {
    OperandDecision conv = weights(plan(config().layer("*.conv", Dtype.INT8)), "encoder.conv");

    assertThat(conv.isQuantized()).isTrue();
    assertThat(conv.nativeIn())
        .containsExactly(Map.entry("fake.small", "there is no room for Conv2d"));
    assertThat(conv.dtypeIn("fake.small")).isEqualTo(Dtype.NATIVE);
    assertThat(conv.dtypeIn("fake.out")).isEqualTo(Dtype.INT8);
  }

  @Test
  void decides_weights_and_activations_apart() {
    QuantizationPlan plan = plan(staticConfig().layer("emb", Dtype.INT8, Dtype.INT8));

    assertThat(weights(plan, "emb").isQuantized()).isTrue();
    assertThat(activations(plan, "emb").reason()).isEqualTo("indices are no activations");
    assertThat(warnings(plan))
        .containsExactly(
            "layers[0] 'emb': 1 module stays native: emb (Embedding): indices are no activations");
  }

  @Test
  void leaves_activations_untouched_in_a_mode_that_has_none() {
    assertThat(activations(plan(config().layer("head", Dtype.INT8, Dtype.INT8)), "head"))
        .isEqualTo(OperandDecision.untouched());
  }

  @Test
  void gives_defaults_to_what_no_rule_speaks_about_and_can_be_quantized_without_a_word() {
    QuantizationPlan plan =
        plan(config().defaultLayerDtype(Dtype.INT8).layer("head", Dtype.FP8_E5M2));

    assertThat(weights(plan, "emb").dtype()).isEqualTo(Dtype.INT8);
    assertThat(weights(plan, "emb").decidedBy()).isEqualTo(RuleReference.defaults());
    assertThat(weights(plan, "head").dtype()).isEqualTo(Dtype.FP8_E5M2);
    assertThat(weights(plan, "head").overrode()).containsExactly(RuleReference.defaults());
    assertThat(weights(plan, "encoder.norm")).isEqualTo(OperandDecision.untouched());
    assertThat(plan.warnings()).isEmpty();
  }

  @Test
  void gives_the_default_of_activations_too() {
    QuantizationPlan plan = plan(staticConfig().defaultActivationDtype(Dtype.INT8));

    assertThat(activations(plan, "head").dtype()).isEqualTo(Dtype.INT8);
    assertThat(activations(plan, "emb")).isEqualTo(OperandDecision.untouched());
  }

  @Test
  void takes_defaults_out_where_a_rule_or_a_skip_says_so() {
    QuantizationPlan plan =
        plan(config().defaultLayerDtype(Dtype.INT8).layer("*.fc1", Dtype.NATIVE).skip("head"));

    assertThat(quantized(plan)).containsExactly("encoder.conv", "encoder.fc2", "emb");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Liner | 'Liner' matches no module; the closest classes are 'Linear'",
        "encoder.fc3 | 'encoder.fc3' matches no module; the closest names are 'encoder.fc1',"
            + " 'encoder.fc2'",
        "*.conf | 'encoder.conv'",
        "linear | 'linear' matches no module; the closest classes are 'Linear'",
        "zzzzzzzz | 'zzzzzzzz' matches no module; the model's classes are Conv2d, BatchNorm2d,"
            + " Linear, Embedding",
        "ReLU | 'ReLU' matches only modules without weights of their own: encoder.act (ReLU)",
        "encoder | 'encoder' matches only modules without weights of their own: encoder"
            + " (Sequential); to take what is inside, write 'encoder.*'",
        "BatchNorm2d | 'BatchNorm2d' matches only modules that cannot be quantized: encoder.norm"
            + " (BatchNorm2d): there is no kernel for BatchNorm2d",
      })
  void is_refused_when_a_rule_has_no_effect(String pattern, String why) {
    assertThatThrownBy(() -> plan(config().layer("head", Dtype.INT8).layer(pattern, Dtype.INT8)))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessageStartingWith("quantize.layers[1].module_name: ")
        .hasMessageContaining(why);
  }

  @Test
  void of_a_model_without_weights_is_refused_once_with_what_the_model_has() {
    FakeModel weightless =
        new FakeModel().withoutWeights("act", "ReLU").withoutWeights("pool", "MaxPool2d");

    assertThatThrownBy(
            () -> plan(config().layer("*", Dtype.INT8).layer("act", Dtype.INT8), weightless))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessage(
            "quantize.layers: the model has no module with weights that could be quantized, only"
                + " act (ReLU), pool (MaxPool2d)");
    assertThat(warnings(plan(config().strict(false).layer("*", Dtype.INT8), weightless)))
        .containsExactly(
            "nothing is quantized: the model has no module with weights that could be quantized,"
                + " only act (ReLU), pool (MaxPool2d)");
    assertThat(warnings(plan(config().defaultLayerDtype(Dtype.INT8), new FakeModel())))
        .containsExactly(
            "nothing is quantized: the model has no module with weights that could be quantized");
  }

  @Test
  void names_the_tensors_of_a_model_whose_modules_have_no_names() {
    Tensor values = Tensor.ofFloats(new float[1], 1);

    assertThat(
            warnings(
                plan(
                    config().defaultLayerDtype(Dtype.INT8),
                    new FakeModel().holding("table", values))))
        .containsExactly(
            "nothing is quantized: the model has no module with weights that could be quantized;"
                + " 'table' belongs to no module with a name");
    assertThat(
            warnings(
                plan(
                    config().defaultLayerDtype(Dtype.INT8),
                    new FakeModel().holding("weight", values).holding("bias", values))))
        .containsExactly(
            "nothing is quantized: the model has no module with weights that could be quantized;"
                + " 'weight', 'bias' belong to no module with a name; put the model into another"
                + " module and save that");
  }

  @Test
  void is_refused_with_all_rules_that_have_no_effect() {
    assertThatThrownBy(
            () ->
                plan(config().layer("a", Dtype.INT8).layer("*", Dtype.INT8).layer("b", Dtype.INT8)))
        .isInstanceOfSatisfying(
            InvalidConfigurationException.class,
            e ->
                assertThat(e.problems())
                    .extracting(problem -> problem.path())
                    .containsExactly(
                        "quantize.layers[0].module_name", "quantize.layers[2].module_name"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nothing | NO_MATCH | layers[1] 'nothing' has no effect: 'nothing' matches no module; the"
            + " model's classes are Conv2d, BatchNorm2d, Linear, Embedding",
        "ReLU | NO_MATCH | layers[1] 'ReLU' has no effect: 'ReLU' matches only modules without"
            + " weights of their own: encoder.act (ReLU)",
        "*.norm | NOT_QUANTIZABLE | layers[1] '*.norm' has no effect: '*.norm' matches only modules"
            + " that cannot be quantized: encoder.norm (BatchNorm2d): there is no kernel for"
            + " BatchNorm2d",
      })
  void only_warns_of_a_rule_without_effect_when_it_need_not_be_strict(
      String pattern, QuantizationWarning.Kind kind, String message) {
    QuantizationPlan plan =
        plan(config().strict(false).layer("head", Dtype.INT8).layer(pattern, Dtype.INT8));

    assertThat(plan.warnings()).hasSize(1);
    assertThat(plan.warnings().get(0).kind()).isEqualTo(kind);
    assertThat(plan.warnings().get(0).message()).isEqualTo(message);
    assertThat(quantized(plan)).containsExactly("head");
  }

  @Test
  void finds_an_effect_in_a_rule_that_later_rules_or_skips_take_back_entirely() {
    assertThat(
            plan(config()
                    .layer("head", Dtype.INT8)
                    .layer("Linear", Dtype.FP8_E5M2)
                    .layer("emb", Dtype.INT8)
                    .skip("emb"))
                .warnings())
        .isEmpty();
  }

  @Test
  void finds_an_effect_in_a_rule_that_keeps_modules_native_that_could_not_be_quantized_anyway() {
    assertThat(
            plan(config().layer("head", Dtype.INT8).layer("BatchNorm2d", Dtype.NATIVE)).warnings())
        .isEmpty();
  }

  @Test
  void finds_no_effect_in_a_rule_that_keeps_native_what_is_not_there() {
    assertThatThrownBy(() -> plan(config().layer("head", Dtype.INT8).layer("hed", Dtype.NATIVE)))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessageContaining("the closest names are 'head'");
  }

  @Test
  void finds_an_effect_in_a_rule_of_activations_alone_that_the_mode_ignores() {
    LayerQuantizationConfig activationsOnly =
        new LayerQuantizationConfig("emb", null, ActivationQuantizationConfig.of(Dtype.INT8));

    assertThat(plan(config().layer("head", Dtype.INT8).layer(activationsOnly)).warnings())
        .isEmpty();
  }

  @Test
  void finds_no_effect_in_weights_that_cannot_be_quantized_beside_ignored_activations() {
    assertThatThrownBy(() -> plan(config().layer("BatchNorm2d", Dtype.INT8, Dtype.INT8)))
        .isInstanceOf(InvalidConfigurationException.class);
  }

  private static WeightQuantizationConfig shared(@Nullable Integer axis, @Nullable String text) {
    return new WeightQuantizationConfig(
        Dtype.INT8, axis, text == null ? null : Granularity.of(text), null, Map.of());
  }

  @ParameterizedTest
  @CsvSource({
    "0, , axis:0",
    "-1, , axis:1",
    "-2, , axis:0",
    ", axis:-1, axis:1",
    ", tensor, tensor",
    ", channel, channel",
    ", group:32, group:32"
  })
  void counts_axes_from_the_start(
      @Nullable Integer axis, @Nullable String written, String planned) {
    QuantizationPlan plan = plan(config().layer(weightsOnly("head", shared(axis, written))));

    assertThat(weights(plan, "head").settings().granularity()).hasToString(planned);
  }

  @ParameterizedTest
  @CsvSource({
    "2, , quant_axis, quant_axis 2",
    "-3, , quant_axis, quant_axis -3",
    ", axis:5, granularity, granularity axis:5"
  })
  void refuses_an_axis_that_the_weight_does_not_have(
      @Nullable Integer axis, @Nullable String written, String key, String text) {
    assertThatThrownBy(() -> plan(config().layer(weightsOnly("Linear", shared(axis, written)))))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessage(
            "quantize.layers[0].weights.%s: encoder.fc1, encoder.fc2, head: %s is out of range for a"
                    .formatted(key, text)
                + " weight with 2 dimensions; use 0 to 1, or -1 to -2");
  }

  @Test
  void refuses_a_granularity_that_the_backend_refuses_even_where_rules_may_fail() {
    assertThatThrownBy(
            () ->
                plan(
                    config()
                        .layer("Linear", Dtype.INT8)
                        .layer(weightsOnly("head", shared(null, "group:64")))
                        .strict(false)))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessage(
            "quantize.layers[1].weights.granularity: head: granularity group:64 is not supported:"
                + " groups have 32 values");
  }

  @Test
  void does_not_mind_the_granularity_of_what_stays_native() {
    QuantizationPlan plan =
        plan(config().layer(weightsOnly("Linear", shared(7, null))).skip("*").strict(false));

    assertThat(plan.quantized()).isEmpty();
  }

  @Test
  void takes_the_last_word_on_granularity_whichever_key_says_it() {
    QuantizationPlan plan =
        plan(
            config()
                .layer(weightsOnly("Linear", shared(7, null)))
                .layer(weightsOnly("Linear", shared(null, "tensor"))));

    assertThat(weights(plan, "head").settings().granularity()).isEqualTo(Granularity.TENSOR);
  }

  @Test
  void finds_no_effect_in_a_rule_that_says_how_but_never_what() {
    assertThatThrownBy(
            () ->
                plan(
                    config()
                        .layer("head", Dtype.INT8)
                        .layer(
                            weightsOnly(
                                "emb", new WeightQuantizationConfig(null, 0, null, Map.of())))))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessage(
            "quantize.layers[1].module_name: 'emb' matches modules, but no rule gives them a dtype"
                + " that they can have");
  }

  @Test
  void finds_an_effect_in_a_rule_that_says_how_before_another_says_what() {
    assertThat(
            plan(config()
                    .layer(
                        weightsOnly(
                            "Linear", new WeightQuantizationConfig(null, 0, null, Map.of())))
                    .layer("head", Dtype.INT8))
                .warnings())
        .isEmpty();
  }

  @Test
  void refuses_a_configuration_without_rules_and_defaults() {
    assertThatThrownBy(() -> plan(config()))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessageContaining(
            "quantize.layers: has no rule, and no default has a dtype, so nothing would be"
                + " quantized; add a rule or set default_layer_dtype");
  }

  @Test
  void says_when_nothing_is_quantized_since_rules_name_no_dtype() {
    assertThat(
            warnings(
                plan(
                    config()
                        .layer(
                            weightsOnly(
                                "Linear", new WeightQuantizationConfig(null, 0, null, Map.of())))
                        .strict(false))))
        .contains("nothing is quantized: no rule or default asks for it");
  }

  @Test
  void says_when_nothing_is_quantized_since_it_is_all_excluded() {
    assertThat(warnings(plan(config().layer("Linear", Dtype.INT8).skip("*"))))
        .contains(
            "nothing is quantized: skip_names and rules with the dtype native exclude what others"
                + " select");
    assertThat(warnings(plan(config().defaultLayerDtype(Dtype.INT8).layer("*", Dtype.NATIVE))))
        .contains(
            "nothing is quantized: skip_names and rules with the dtype native exclude what others"
                + " select");
  }

  @Test
  void says_when_nothing_is_quantized_since_no_module_can_have_the_default() {
    FakeModel norms = new FakeModel().with("norm1", "BatchNorm2d").with("norm2", "LayerNorm");

    assertThat(warnings(plan(config().defaultLayerDtype(Dtype.INT8), norms)))
        .containsExactly(
            "nothing is quantized: no module without a rule of its own can have the default,"
                + " weights int8");
  }

  @Test
  void names_a_few_of_thousands_of_skips_that_match_nothing() {
    ModelQuantizationConfig.Builder config = config().layer("Linear", Dtype.INT8).skip("head");
    for (int i = 0; i < 20_000; i++) {
      config.skip("block." + i);
    }

    QuantizationPlan plan = plan(config);

    assertThat(plan.module("head").orElseThrow().isQuantized()).isFalse();
    assertThat(warnings(plan))
        .containsExactly(
            "skip_names that match no module: 'block.0', 'block.1', 'block.2', 'block.3', 'block.4'"
                + " and 19995 more");
  }

  @Test
  void takes_the_first_skip_that_selects_a_module_by_name_class_or_pattern() {
    ModelQuantizationConfig.Builder config =
        config().layer("*", Dtype.INT8).strict(false).skip("nothing").skip("nn.Linear");

    assertThat(decidedBy(plan(config.skip("he*").skip("head")), "head"))
        .isEqualTo("skip_names[1] 'nn.Linear'");
    assertThat(
            decidedBy(
                plan(config().layer("*", Dtype.INT8).strict(false).skip("he*").skip("head")),
                "head"))
        .isEqualTo("skip_names[0] 'he*'");
    assertThat(
            decidedBy(
                plan(config().layer("*", Dtype.INT8).strict(false).skip("head").skip("he*")),
                "head"))
        .isEqualTo("skip_names[0] 'head'");
  }

  private static String decidedBy(QuantizationPlan plan, String module) {
    return String.valueOf(plan.module(module).orElseThrow().weights().decidedBy());
  }

  @Test
  void takes_classes_from_the_configuration_where_a_file_tells_them_wrongly() {
    FakeModel guessed = new FakeModel().typesInferred().with("tok", "Linear").with("fc", "Linear");

    QuantizationPlan plan =
        plan(
            config()
                .moduleClass("t*", "Conv1d")
                .moduleClass("tok", "Embedding")
                .layer("Embedding", Dtype.INT8),
            guessed);

    ModuleDecision corrected = plan.module("tok").orElseThrow();
    assertThat(corrected.type()).isEqualTo("Embedding");
    assertThat(corrected.typeInferred()).isFalse();
    assertThat(corrected.isQuantized()).isTrue();
    assertThat(plan.module("fc").orElseThrow().typeInferred()).isTrue();
  }

  @Test
  void takes_class_corrections_by_name_only() {
    assertThatThrownBy(
            () ->
                plan(
                    config().moduleClass("Linear", "Embedding").layer("Embedding", Dtype.INT8),
                    new FakeModel().with("fc", "Linear")))
        .isInstanceOf(InvalidConfigurationException.class);
  }

  @Test
  void warns_of_class_corrections_that_match_nothing() {
    assertThat(warnings(plan(config().moduleClass("tok", "Embedding").layer("head", Dtype.INT8))))
        .containsExactly("module_classes: no module is named 'tok'");
  }

  @Test
  void keeps_tied_weights_quiet_when_they_are_decided_alike() {
    FakeModel tied = new FakeModel().with("emb", "Embedding", "w").with("head", "Linear", "w");

    assertThat(plan(config().layer("*", Dtype.INT8), tied).warnings()).isEmpty();
  }

  @Test
  void warns_of_tied_weights_that_come_apart() {
    FakeModel tied = new FakeModel().with("emb", "Embedding", "w").with("head", "Linear", "w");

    assertThat(plan(config().layer("Linear", Dtype.INT8), tied).warnings())
        .containsExactly(
            new QuantizationWarning(
                QuantizationWarning.Kind.UNTIED,
                "emb (native) and head (int8) share one weight and are decided differently, so each"
                    + " gets its own, and artifacts grow by up to 64 bytes; decide them alike to"
                    + " keep one",
                null,
                List.of("emb", "head")));
  }

  @Test
  void counts_a_copy_for_each_decision_about_tied_weights_but_one() {
    FakeModel tied =
        new FakeModel()
            .with("emb", "Embedding", "w")
            .with("head", "Linear", "w")
            .with("head2", "Linear", "w")
            .with("head3", "Linear", "w");

    assertThat(
            warnings(
                plan(
                    config()
                        .layer("head", Dtype.INT8)
                        .layer("head2", Dtype.INT8)
                        .layer("head3", Dtype.FP8_E5M2),
                    tied)))
        .singleElement()
        .asString()
        .contains("grow by up to 128 bytes");
  }

  @Test
  void does_not_take_a_shared_bias_for_tied_weights() {
    // All modules of the fake share one bias.
    assertThat(plan(config().layer("head", Dtype.INT8)).warnings()).isEmpty();
  }

  @Test
  void leaves_out_modules_whose_tensors_are_no_floating_point_numbers() {
    FakeModel counting =
        new FakeModel()
            .with("fc", "Linear")
            .with(
                "counter",
                "Counter",
                new TensorDescription("steps", ElementType.INT64, List.of(4L), "s"));

    assertThat(plan(config().layer("fc", Dtype.INT8), counting).module("counter")).isEmpty();
  }

  @Test
  void warns_of_a_mode_for_activations_that_quantizes_weights_alone() {
    Planner alone = dynamic(config().defaultLayerDtype(Dtype.INT8));
    Planner byRule =
        dynamic(config().layer("*.fc?", Dtype.INT8).layer("head", Dtype.INT8, Dtype.INT8));
    Planner byDefault =
        dynamic(config().defaultLayerDtype(Dtype.INT8).defaultActivationDtype(Dtype.INT8));
    Planner weightOnly =
        new Planner(config().defaultLayerDtype(Dtype.INT8).build(), FakeBackend.dynamic("fake"));

    assertThat(warnings(alone.plan(model)))
        .singleElement()
        .isEqualTo(
            "mode dynamic_ptq quantizes activations too, but neither a default nor a rule gives"
                + " them a dtype, so only weights are quantized; set default_activation_dtype");
    assertThat(List.of(byRule, byDefault, weightOnly))
        .allSatisfy(
            planner ->
                assertThat(warnings(planner.plan(model)))
                    .noneMatch(warning -> warning.contains("only weights are quantized")));
  }

  private static Planner dynamic(ModelQuantizationConfig.Builder config) {
    return new Planner(
        config.mode(QuantizationMode.DYNAMIC_PTQ).build(), FakeBackend.dynamic("fake"));
  }

  @Test
  void names_backend_and_mode() {
    QuantizationPlan plan = plan(config().layer("head", Dtype.INT8));

    assertThat(plan.backend()).isEqualTo("fake");
    assertThat(plan.mode()).isEqualTo(Objects.requireNonNull(config().build().mode()));
  }
}
