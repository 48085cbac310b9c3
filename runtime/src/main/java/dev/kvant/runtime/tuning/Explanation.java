package dev.kvant.runtime.tuning;

import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.Recipe;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Says of each choice of a configuration what it brought beside the trials without it. */
final class Explanation {

  private static final String KWARGS = "backend_kwargs.";

  private final List<TuningTrial> trials;

  /**
   * @param trials all trials
   */
  Explanation(List<TuningTrial> trials) {
    this.trials = trials.stream().filter(trial -> trial.figures() != null).toList();
  }

  /** The recipe of a trial, with a comment on each choice that other trials differ in. */
  Recipe of(TuningTrial chosen, String reason) {
    Map<String, String> comments = new LinkedHashMap<>(chosen.recipe().comments());
    ModelQuantizationConfig config = chosen.recipe().config();
    if (!config.skipNames().isEmpty()) {
      other(chosen, Explanation::withoutSkips, each -> each.skipNames().isEmpty())
          .ifPresent(other -> comments.put("skip_names", "without: " + figures(other)));
    }
    // Most choices were tried without skips only.
    TuningTrial base =
        config.skipNames().isEmpty()
            ? chosen
            : other(chosen, Explanation::withoutSkips, each -> each.skipNames().isEmpty())
                .orElse(chosen);
    other(
            base,
            each -> each.toBuilder().algorithm(config.algorithm()).build(),
            each -> !each.algorithm().equals(config.algorithm()))
        .ifPresent(
            other ->
                comments.put(
                    "algorithm",
                    "%s with %s: %s"
                        .formatted(
                            figures(base), other.recipe().config().algorithm(), figures(other))));
    for (String key : new TreeSet<>(config.backendKwargs().keySet())) {
      other(
              base,
              each -> withKwarg(each, key, config.backendKwargs().get(key)),
              each ->
                  !Objects.equals(each.backendKwargs().get(key), config.backendKwargs().get(key)))
          .ifPresent(
              other ->
                  comments.put(
                      KWARGS + key,
                      "%s, and with %s: %s"
                          .formatted(
                              figures(base),
                              value(other.recipe().config().backendKwargs().get(key)),
                              figures(other))));
    }
    return new Recipe(config, reason, comments);
  }

  private static String value(@Nullable Object value) {
    return value == null ? "its default" : value.toString();
  }

  /**
   * The most accurate trial that equals another one once a choice is made alike.
   *
   * @param alike makes the choice as in the other trial
   * @param differs whether the choice differs
   */
  private Optional<TuningTrial> other(
      TuningTrial trial,
      Function<ModelQuantizationConfig, ModelQuantizationConfig> alike,
      Predicate<ModelQuantizationConfig> differs) {
    ModelQuantizationConfig wanted = alike.apply(trial.recipe().config());
    return trials.stream()
        .filter(each -> differs.test(each.recipe().config()))
        .filter(each -> alike.apply(each.recipe().config()).equals(wanted))
        .max(Comparator.comparingDouble(Explanation::cosine));
  }

  private static double cosine(TuningTrial trial) {
    double cosine = Objects.requireNonNull(trial.figures()).search().similarity().cosineMean();
    return Double.isNaN(cosine) ? -2 : cosine;
  }

  private static ModelQuantizationConfig withoutSkips(ModelQuantizationConfig config) {
    ModelQuantizationConfig.Builder builder = ModelQuantizationConfig.builder();
    return copy(config, builder, List.of(), config.backendKwargs());
  }

  private static ModelQuantizationConfig withKwarg(
      ModelQuantizationConfig config, String key, @Nullable Object value) {
    Map<String, Object> kwargs = new LinkedHashMap<>(config.backendKwargs());
    if (value == null) {
      kwargs.remove(key);
    } else {
      kwargs.put(key, value);
    }
    return copy(config, ModelQuantizationConfig.builder(), config.skipNames(), kwargs);
  }

  private static ModelQuantizationConfig copy(
      ModelQuantizationConfig config,
      ModelQuantizationConfig.Builder builder,
      List<String> skips,
      Map<String, Object> kwargs) {
    builder
        .backend(config.backend())
        .mode(config.mode())
        .algorithm(config.algorithm())
        .defaultLayerDtype(config.defaultLayerDtype())
        .defaultActivationDtype(config.defaultActivationDtype())
        .calibration(config.calibration());
    config.layers().forEach(builder::layer);
    config.moduleClasses().forEach(builder::moduleClass);
    skips.forEach(builder::skip);
    kwargs.forEach(builder::backendKwarg);
    return builder.build();
  }

  private static String figures(TuningTrial trial) {
    TuningTrial.Measured figures = Objects.requireNonNull(trial.figures());
    return String.format(
        Locale.ROOT,
        "cosine %.4f, %.1f MB, %.2f times as fast",
        figures.search().similarity().cosineMean(),
        figures.bytes() / 1e6,
        figures.latency().speedup());
  }

  /** What distinguishes a configuration from others. */
  static String name(ModelQuantizationConfig config) {
    List<String> parts = new ArrayList<>();
    parts.add(config.backend());
    parts.add(String.valueOf(config.mode()));
    parts.add(config.defaultLayerDtype().toString());
    parts.add(config.algorithm().toString());
    config.backendKwargs().forEach((key, value) -> parts.add(key + "=" + value));
    if (!config.skipNames().isEmpty()) {
      parts.add("without " + config.skipNames().size() + " modules");
    }
    return String.join(" ", parts);
  }
}
