package dev.kvant.runtime.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.Dtype;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.FakeBackend;
import dev.kvant.runtime.FakeModel;
import dev.kvant.runtime.Kvant;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A recommendation")
class RecommendationTest {

  private static final CalibrationConfig DATA = CalibrationConfig.of(Path.of("samples.npz"));
  private static final RecipeRequest WITH_DATA = RecipeRequest.builder().calibration(DATA).build();

  private final FakeModel model = new FakeModel().with("fc1", "Linear").with("fc2", "Linear");

  private Recipe recommend(RecipeRequest request, QuantizationBackend... backends) {
    Kvant.Builder builder = Kvant.builder().withoutDiscovery();
    for (QuantizationBackend backend : backends) {
      builder.backend(backend);
    }
    try (Kvant kvant = builder.build()) {
      return kvant.recommend(model, request);
    }
  }

  /** A backend with a recipe of its own, or none. */
  private record Choosing(FakeBackend backend, @Nullable Recipe recipe)
      implements QuantizationBackend {

    @Override
    public BackendDescriptor descriptor() {
      return backend.descriptor();
    }

    @Override
    public Support supports(SupportQuery query) {
      return backend.supports(query);
    }

    @Override
    public Optional<Recipe> recommend(QuantizableModel model, RecipeRequest request) {
      return Optional.ofNullable(recipe);
    }

    @Override
    public QuantizationRun begin(
        QuantizableModel model, QuantizationPlan plan, RunContext context) {
      return backend.begin(model, plan, context);
    }
  }

  private static Choosing choosing(String id, ModelQuantizationConfig config) {
    return new Choosing(
        FakeBackend.weightOnly(id), new Recipe(config, "Because.", Map.of("mode", "small")));
  }

  private static ModelQuantizationConfig.Builder int8() {
    return ModelQuantizationConfig.builder().defaultLayerDtype(Dtype.INT8);
  }

  @Test
  void without_data_uses_a_mode_that_needs_none() {
    Recipe recipe = recommend(RecipeRequest.ANY, FakeBackend.weightOnly("a"));

    assertThat(recipe.config())
        .isEqualTo(int8().backend("a").mode(QuantizationMode.WEIGHT_ONLY_PTQ).build());
  }

  @Test
  void with_data_uses_a_backend_that_observes_it() {
    Recipe recipe =
        recommend(WITH_DATA, FakeBackend.weightOnly("a"), FakeBackend.calibratable("z"));

    assertThat(recipe.config())
        .isEqualTo(
            int8()
                .backend("z")
                .mode(QuantizationMode.STATIC_PTQ)
                .defaultActivationDtype(Dtype.INT8)
                .calibration(DATA)
                .build());
    assertThat(recipe.comments()).isEmpty();
  }

  @Test
  void of_equals_takes_the_first_id_and_says_so() {
    Recipe recipe =
        recommend(RecipeRequest.ANY, FakeBackend.weightOnly("b"), FakeBackend.weightOnly("a"));

    assertThat(recipe.config().backend()).isEqualTo("a");
    assertThat(recipe.comments())
        .containsExactly(Map.entry("backend", "quantizes at least as many weights as b"));
  }

  @Test
  void takes_the_recipe_that_quantizes_the_most_bytes() {
    Recipe recipe =
        recommend(
            RecipeRequest.ANY,
            choosing("a", int8().skip("fc1").build()),
            choosing("b", int8().build()));

    assertThat(recipe.config())
        .isEqualTo(int8().backend("b").mode(QuantizationMode.WEIGHT_ONLY_PTQ).build());
    assertThat(recipe.reason()).isEqualTo("Because.");
    assertThat(recipe.comments())
        .containsOnly(
            Map.entry("mode", "small"),
            Map.entry("backend", "quantizes at least as many weights as a"));
  }

  @Test
  void is_that_of_the_requested_backend() {
    Recipe recipe =
        recommend(
            RecipeRequest.builder().backend("B").build(),
            FakeBackend.weightOnly("a"),
            FakeBackend.weightOnly("b"));

    assertThat(recipe.config().backend()).isEqualTo("b");
    assertThat(recipe.comments()).isEmpty();
  }

  @Test
  void meets_mode_dtype_and_target() {
    RecipeRequest request =
        RecipeRequest.builder().mode(QuantizationMode.STATIC_PTQ).dtype(Dtype.FP8_E5M2).build();

    ModelQuantizationConfig config =
        recommend(request, FakeBackend.weightOnly("a"), FakeBackend.calibratable("b")).config();

    assertThat(config.backend()).isEqualTo("b");
    assertThat(config.defaultLayerDtype()).isEqualTo(Dtype.FP8_E5M2);
  }

  @Test
  void of_an_unknown_backend_is_an_error() {
    assertThatThrownBy(
            () ->
                recommend(
                    RecipeRequest.builder().backend("toch").build(),
                    FakeBackend.weightOnly("torch")))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessage(
            "backend: no backend 'toch' is installed; did you mean 'torch'? installed: torch");
  }

  @Test
  void names_what_the_backends_have_in_place_of_the_request() {
    FakeBackend a = FakeBackend.weightOnly("a");
    FakeBackend b = FakeBackend.calibratable("b");
    RecipeRequest.Builder request = RecipeRequest.builder();

    assertThatThrownBy(
            () -> recommend(request.mode(QuantizationMode.of("moonlight")).build(), a, b))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessage(
            "mode: no backend has 'moonlight' for this model; a has weight_only_ptq; b has weight_only_ptq, static_ptq");
    assertThatThrownBy(() -> recommend(request.mode(null).dtype(Dtype.of("int3")).build(), a))
        .hasMessage(
            "dtype: no backend has 'int3' for this model; a has int8, fp8_e4m3fn, fp8_e5m2");
    assertThatThrownBy(() -> recommend(request.dtype(null).target("moon").build(), a))
        .hasMessage("target: no backend has 'moon' for this model; a has no target");
  }

  @Test
  void for_a_format_that_no_backend_reads_names_those_that_are_read_and_the_remedy() {
    model.format("halves");

    assertThatThrownBy(() -> recommend(RecipeRequest.ANY, FakeBackend.weightOnly("a")))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessage(
            "fake.model is a model of format 'halves', which no backend quantizes; a takes fake; for a: put them together");
  }

  @Test
  void without_any_backend_says_so() {
    assertThatThrownBy(() -> recommend(RecipeRequest.ANY))
        .hasMessage(
            "fake.model is a model of format 'fake', which no backend quantizes; no backend is installed");
  }

  @Test
  void passes_over_a_backend_that_cannot_work_here() {
    FakeBackend broken = FakeBackend.weightOnly("a").unavailable("no such processor");

    assertThat(recommend(RecipeRequest.ANY, broken, FakeBackend.weightOnly("b")).config().backend())
        .isEqualTo("b");
    assertThatThrownBy(() -> recommend(RecipeRequest.ANY, broken))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessage(
            "fake.model is a model of format 'fake', and its backends cannot work here: a: no such processor");
  }

  @Test
  void for_a_model_that_cannot_be_quantized_gives_the_reason_for_each_class() {
    FakeModel other = new FakeModel().with("a", "Bilinear").with("b", "Bilinear").with("c", "Fold");
    try (Kvant kvant =
        Kvant.builder().withoutDiscovery().backend(FakeBackend.weightOnly("a")).build()) {
      assertThatThrownBy(() -> kvant.recommend(other, RecipeRequest.ANY))
          .isInstanceOf(UnsupportedModelException.class)
          .hasMessage(
              "backend 'a' can quantize nothing of fake.model in weight_only_ptq: Bilinear: there is no kernel for Bilinear; Fold: there is no kernel for Fold");
    }
  }

  @Test
  void for_a_quantized_model_is_refused() {
    model.quantizedBy("another tool");

    assertThatThrownBy(() -> recommend(RecipeRequest.ANY, FakeBackend.weightOnly("a")))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("is quantized already, by another tool");
  }

  @Test
  void with_data_that_no_backend_uses_is_an_error() {
    assertThatThrownBy(() -> recommend(WITH_DATA, FakeBackend.weightOnly("a")))
        .isInstanceOf(InvalidConfigurationException.class)
        .hasMessage("calibration: no backend uses data for a model of format 'fake'; leave it out");
  }

  @Test
  void is_missing_where_no_backend_has_one() {
    assertThatThrownBy(
            () ->
                recommend(
                    RecipeRequest.ANY,
                    new Choosing(FakeBackend.weightOnly("a"), null),
                    new Choosing(FakeBackend.weightOnly("b"), null)))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessage("no recipe for fake.model without data: a, b recommend none; write a spec");
  }
}
