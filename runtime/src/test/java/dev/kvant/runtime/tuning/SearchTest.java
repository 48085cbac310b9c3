package dev.kvant.runtime.tuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.DataException;
import dev.kvant.api.Dtype;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModulePattern;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.FakeModel;
import dev.kvant.runtime.calibration.KnownStatistics;
import dev.kvant.runtime.data.InputBatch;
import dev.kvant.runtime.evaluation.Pooling;
import dev.kvant.runtime.evaluation.RetrievalRequest;
import dev.kvant.runtime.tuning.TuningRequest.Preference;
import dev.kvant.runtime.verification.RunnerSource;
import dev.kvant.spi.ModelRunner;
import dev.kvant.spi.ProgressReporter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A search for the best configuration")
class SearchTest {

  private static final String KERNEL = "kernel";

  private FakeModel model =
      new FakeModel().with("a", "Linear").with("b", "Linear").with("c", "Linear");

  /** The time, and how much of it passes while a configuration is prepared. */
  private Duration now = Duration.ofMinutes(1);

  private Duration pace = Duration.ZERO;

  private final List<FakeTrials> quantizers = new ArrayList<>();

  private static InputBatch batch(float... values) {
    return new InputBatch(
        new TensorBatch(Map.of("input", Tensor.ofFloats(values, 1, 3))), null, 1, 1);
  }

  private static ModelQuantizationConfig config(String kernel) {
    return ModelQuantizationConfig.builder()
        .backend("fake")
        .mode(QuantizationMode.WEIGHT_ONLY_PTQ)
        .layer("Linear", Dtype.INT8)
        .backendKwarg(KERNEL, kernel)
        .build();
  }

  private static Recipe recipe(String kernel) {
    return new Recipe(config(kernel), "Because.", Map.of());
  }

  private static TuningRequest.Builder request() {
    return TuningRequest.builder(
        RecipeRequest.builder().calibration(CalibrationConfig.of(Path.of("data.npz"))).build());
  }

  /** The noise of each module by the kernel; the kernel absent cannot quantize the model. */
  private TrialQuantizer quantizer(ModelQuantizationConfig config) {
    String kernel = Objects.requireNonNull(config.backendKwargs().get(KERNEL)).toString();
    List<Float> noises =
        switch (kernel) {
          case "whole" -> List.of(0.5f, 2f, 1f);
          case "coarse" -> List.of(0.5f, 2f, 1f);
          case "fine" -> List.of(0.05f, 0.2f, 0.1f);
          case "broken" -> List.of(Float.NaN, 0f, 0f);
          default -> throw new UnsupportedModelException("there is no kernel " + kernel);
        };
    FakeTrials fake = new FakeTrials(config, noises, List.of());
    if (kernel.equals("whole")) {
      fake.wholeOnly();
    }
    quantizers.add(fake);
    now = now.plus(pace);
    return fake;
  }

  /** Runs the artifact that was saved last. */
  private final RunnerSource runners =
      (path, format) -> quantizers.get(quantizers.size() - 1).open(path, format);

  private Search search(
      TuningRequest request, InputBatch searched, InputBatch heldOut, String... kernels) {
    ModelRunner source =
        new FakeTrials(config("fine"), List.of(), List.of()).open(Path.of("m"), "fake");
    ProgressReporter progress =
        new ProgressReporter(QuantizationListener.NONE, "run", 1, "samples");
    return new Search(
        model,
        this::quantizer,
        request,
        List.of(kernels).stream().map(SearchTest::recipe).toList(),
        CalibrationDataset.of(List.of()),
        Trials.of(runners, model, source, List.of(searched), request.retrieval(), progress),
        Trials.of(runners, model, source, List.of(heldOut), request.retrieval(), progress),
        source,
        new KnownStatistics(),
        QuantizationListener.NONE,
        () -> now.toNanos());
  }

  private static final InputBatch EASY = batch(3, 4, 0);

  private static TuningTrial best(TuningRequest request, Search search) {
    return Search.best(search.trials(), request, true).orElseThrow();
  }

  @Test
  void measures_size_and_accuracy_of_each_recipe() {
    TuningRequest request = request().build();
    Search search = search(request, EASY, EASY, "coarse", "fine");
    search.run();

    TuningTrial.Measured coarse = Objects.requireNonNull(search.trials().get(0).figures());
    assertThat(search.trials().get(0).name())
        .isEqualTo("fake weight_only_ptq native minmax kernel=coarse");
    assertThat(coarse.bytes()).isEqualTo(300);
    assertThat(coarse.search().similarity().sqnrDecibels())
        .isCloseTo(10 * Math.log10(25 / 5.25), within(1e-6));
    assertThat(coarse.search().drop()).isEqualTo(1 - coarse.search().similarity().cosineMean());
    assertThat(coarse.latency().pairs()).isPositive();
  }

  @Test
  void takes_the_most_accurate_of_artifacts_of_one_size() {
    TuningRequest request = request().budget(TuningBudget.ofCosine(0.5)).build();
    Search search = search(request, EASY, EASY, "coarse", "fine");
    assertThat(search.run()).isTrue();

    assertThat(best(request, search).recipe().config()).isEqualTo(config("fine"));
  }

  @Test
  void leaves_the_most_sensitive_module_native_where_a_recipe_is_too_coarse() {
    // Without b the coarse recipe has (5.5, 0, 1) beside (5, 0, 0), and with it (5.5, 2, 1).
    InputBatch batch = batch(5, 0, 0);
    double without = 27.5 / (5 * Math.sqrt(30.25 + 1));
    TuningRequest request = request().budget(TuningBudget.ofCosine(without - 1e-4)).build();
    Search search = search(request, batch, batch, "coarse");
    assertThat(search.run()).isTrue();

    TuningTrial best = best(request, search);
    assertThat(best.recipe().config().skipNames()).containsExactly("b");
    assertThat(Objects.requireNonNull(best.figures()).bytes()).isEqualTo(600);
    assertThat(best.figures().search().similarity().cosineMean()).isCloseTo(without, within(1e-6));
  }

  @Test
  void never_takes_what_breaks_the_outputs_or_cannot_be_written() {
    TuningRequest request = request().build();
    Search search = search(request, EASY, EASY, "broken", "absent", "coarse");
    assertThat(search.run()).isTrue();

    assertThat(best(request, search).recipe().config().backendKwargs())
        .containsEntry(KERNEL, "coarse");
    assertThat(search.trials().get(1).failure()).isEqualTo("there is no kernel absent");
    assertThat(Search.frontier(search.trials()))
        .extracting(trial -> trial.recipe().config().backendKwargs().get(KERNEL))
        .containsOnly("coarse");
  }

  @Test
  void judges_by_samples_that_the_search_did_not_see() {
    // A tenth of the signal: the noise of the coarse recipe is too large there.
    InputBatch hard = batch(0.3f, 0.4f, 0);
    TuningRequest request = request().budget(TuningBudget.ofCosine(0.9)).build();
    Search search = search(request, batch(300, 400, 0), hard, "coarse");
    search.run();

    assertThat(Search.best(search.trials(), request, false)).isPresent();
    assertThat(
            Search.best(search.trials(), request, true)
                .map(trial -> trial.recipe().config().skipNames().size()))
        .isNotEqualTo(Optional.of(0));
    TuningTrial.Measured figures = Objects.requireNonNull(search.trials().get(0).figures());
    assertThat(request.budget().excess(figures))
        .hasValueSatisfying(
            miss -> assertThat(miss).startsWith("a cosine of 0.").endsWith(", less than 0.9"));
  }

  @Test
  void keeps_to_the_size_and_is_no_worse_than_any_recipe() {
    TuningRequest request =
        request().budget(new TuningBudget(null, null, null, 600L, null)).build();
    Search search = search(request, EASY, EASY, "coarse", "fine");
    search.run();

    TuningTrial best = best(request, search);
    TuningTrial.Measured figures = Objects.requireNonNull(best.figures());
    assertThat(figures.bytes()).isLessThanOrEqualTo(600);
    for (TuningTrial trial : search.trials()) {
      TuningTrial.Measured other = Objects.requireNonNull(trial.figures());
      if (other.bytes() <= 600) {
        assertThat(figures.search().similarity().cosineMean())
            .isGreaterThanOrEqualTo(other.search().similarity().cosineMean());
      }
    }
    assertThat(best.recipe().config().skipNames()).containsExactly("b");
  }

  @Test
  void judges_encoders_by_what_a_search_in_their_embeddings_finds() {
    float[] texts = {10, 0, 0, 9, 1, 0, 0.1f, 0, 0.01f, 0, 1, 0};
    InputBatch batch =
        new InputBatch(new TensorBatch(Map.of("input", Tensor.ofFloats(texts, 4, 3))), null, 4, 4);
    TuningRequest request =
        request()
            .budget(new TuningBudget(null, null, 0.5, null, null))
            .retrieval(new RetrievalRequest(Pooling.MEAN, true, 1))
            .build();
    Search search = search(request, batch, batch, "coarse");
    search.run();

    // The source finds 3, 1, 1, 2 for the texts 1 to 4; with the noise it is 2, 1, 4, 3.
    TuningTrial.Measured figures = Objects.requireNonNull(search.trials().get(0).figures());
    assertThat(figures.search().recall()).isEqualTo(0.25);
    assertThat(request.budget().excess(figures)).contains("a recall of 0.2500, less than 0.5");
    assertThat(request.preference()).isEqualTo(Preference.SIZE);
  }

  @Test
  void refuses_too_few_texts_to_search_at_once() {
    TuningRequest request = request().retrieval(RetrievalRequest.DEFAULT).build();

    assertThatThrownBy(() -> search(request, EASY, EASY, "coarse"))
        .isInstanceOf(DataException.class)
        .hasMessage(
            "recall and nDCG of the first 10 texts need at least 11 texts, but there are 1");
  }

  @Test
  void a_limit_of_recall_needs_to_know_what_embeddings_are() {
    TuningRequest.Builder request = request().budget(new TuningBudget(null, null, 0.5, null, null));

    assertThatIllegalArgumentException()
        .isThrownBy(request::build)
        .withMessage("retrieval: must say how outputs become embeddings where recall is limited");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new TuningBudget(null, null, 1.5, null, null))
        .withMessage("minRecall: must be from 0 to 1, was 1.5");
  }

  @Test
  void ends_with_the_time_and_keeps_the_best_so_far() {
    pace = Duration.ofSeconds(4);
    // A third trial would end after 12 seconds.
    TuningRequest request = request().time(Duration.ofSeconds(11)).build();
    Search search = search(request, EASY, EASY, "coarse", "fine", "broken");
    assertThat(search.run()).isFalse();
    assertThat(search.trials()).hasSize(2);
    assertThat(best(request, search).recipe().config()).isEqualTo(config("fine"));
  }

  @Test
  void an_interrupt_keeps_the_best_so_far() {
    TuningRequest request = request().onTrial(trial -> Thread.currentThread().interrupt()).build();
    Search search = search(request, EASY, EASY, "coarse", "fine");
    assertThat(search.run()).isFalse();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(best(request, search).recipe().config()).isEqualTo(config("coarse"));
  }

  @Test
  void a_group_that_cannot_stay_native_ends_its_mending_alone() {
    TuningRequest request = request().budget(TuningBudget.ofCosine(0.99)).build();
    Search search = search(request, EASY, EASY, "whole");

    assertThat(search.run()).isFalse();
    assertThat(Search.nearest(search.trials(), request).orElseThrow().recipe().config())
        .isEqualTo(config("whole"));
  }

  @Test
  void mends_others_where_a_group_of_one_cannot_stay_native() {
    // Without b the coarse recipe has (5.5, 0, 1) beside (5, 0, 0), and with it (5.5, 2, 1).
    InputBatch batch = batch(5, 0, 0);
    double without = 27.5 / (5 * Math.sqrt(30.25 + 1));
    TuningRequest request = request().budget(TuningBudget.ofCosine(without - 1e-4)).build();
    Search search = search(request, batch, batch, "whole", "coarse");

    assertThat(search.run()).isFalse();
    assertThat(best(request, search).recipe().config().backendKwargs())
        .containsEntry(KERNEL, "coarse");
    assertThat(best(request, search).recipe().config().skipNames()).containsExactly("b");
  }

  @Test
  void leaves_only_what_can_be_named_alone_native() {
    // The pattern of the second name would match all three by their class.
    model = new FakeModel().with("a", "Linear").with("Linear", "Linear").with("c", "Linear");
    TuningRequest request = request().build();
    Search search = search(request, EASY, EASY, "coarse");

    assertThat(search.run()).isTrue();
    assertThat(search.trials())
        .extracting(trial -> trial.recipe().config().skipNames())
        .containsExactly(List.of(), List.of("c"));
    TuningTrial.Measured figures = Objects.requireNonNull(search.trials().get(1).figures());
    assertThat(figures.bytes()).isEqualTo(600);
  }

  @Test
  void says_what_a_choice_brought() {
    TuningRequest request = request().preference(Preference.ACCURACY).build();
    Search search = search(request, EASY, EASY, "coarse", "fine");
    search.run();
    TuningTrial fine =
        search.trials().stream()
            .filter(trial -> trial.recipe().config().equals(config("fine")))
            .findFirst()
            .orElseThrow();
    assertThat(
            new Explanation(search.trials())
                .of(fine, "Found.")
                .comments()
                .get("backend_kwargs.kernel"))
        .matches(
            "cosine 0\\.99\\d\\d, 0\\.0 MB, [0-9.]+ times as fast, and with coarse: cosine"
                + " 0\\.9\\d\\d\\d, .*");
  }

  @Test
  void a_pattern_of_a_name_matches_that_name_only() {
    assertThat(Search.literal("a*b?[0]")).isEqualTo("a[*]b[?][[]0]");
    var pattern = ModulePattern.of(Search.literal("a*b?[0]"));
    assertThat(pattern.matches("a*b?[0]")).isTrue();
    assertThat(pattern.matches("axb?[0]")).isFalse();
  }
}
