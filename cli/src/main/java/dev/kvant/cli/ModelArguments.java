package dev.kvant.cli;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.Dtype;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.config.RecipeDocument;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A model without a spec, and what the recipe for it must meet. */
final class ModelArguments {

  /** The problem that there is none. */
  static final String NO_MODEL = "give a model";

  private static final String SECTION = "quantize.";

  @Parameters(
      paramLabel = "MODEL | key=value",
      arity = "0..*",
      description = {
        "Without a spec: the model, and settings of the data reader, as in"
            + " tokenizer=tokenizer.json.",
        "What overrides the spec, as in quantize.strict=false."
      })
  private List<String> words = new ArrayList<>();

  @Option(
      names = "--model",
      paramLabel = "FILE",
      description = "The model, instead of the spec's model_path.")
  private @Nullable Path model;

  @Option(
      names = {"--data", "--calibration"},
      paramLabel = "PATH",
      description = "Calibration data, instead of the spec's calibration.path.")
  private @Nullable Path data;

  @Option(
      names = "--backend",
      paramLabel = "ID",
      description = "Without a spec: the backend. Default: the one that quantizes most.")
  private @Nullable String backend;

  @Option(
      names = "--mode",
      paramLabel = "MODE",
      description =
          "Without a spec: weight_only_ptq, static_ptq or dynamic_ptq. Default: what suits the"
              + " model and the data.")
  private @Nullable String mode;

  @Option(
      names = "--dtype",
      paramLabel = "DTYPE",
      description = "Without a spec: the dtype, as int8 or fp8_e4m3fn. Default: int8.")
  private @Nullable String dtype;

  @Option(
      names = "--target",
      paramLabel = "TARGET",
      description = "Without a spec: what the artifact is for, a value of the backend's target.")
  private @Nullable String target;

  /** The model that {@code --model} names. */
  @Nullable Path model() {
    return model;
  }

  /** The data that was named. */
  @Nullable Path data() {
    return data;
  }

  /** All arguments, where a spec is given and they override it. */
  List<String> words() {
    return words;
  }

  /** The options that were given and have no meaning beside a spec. */
  List<String> ofRecipes() {
    List<String> given = new ArrayList<>();
    if (backend != null) {
      given.add("--backend");
    }
    if (mode != null) {
      given.add("--mode");
    }
    if (dtype != null) {
      given.add("--dtype");
    }
    if (target != null) {
      given.add("--target");
    }
    return given;
  }

  /** What is wrong with them where no spec is given, beyond what depends on the installation. */
  Optional<String> problem() {
    if (model == null && named().isEmpty()) {
      return Optional.of(NO_MODEL);
    }
    if (model != null && !named().isEmpty()) {
      return Optional.of("give the model once, as an argument or with --model");
    }
    if (dtype != null && Dtype.of(dtype).isNative()) {
      return Optional.of("--dtype native would quantize nothing; leave it out for the default");
    }
    return settings().stream()
        .filter(setting -> data == null && !RecipeDocument.isOfSpec(setting))
        .findFirst()
        .map(
            setting ->
                "'%s' is a setting of a data reader, and there is no --data; keys of the spec begin with '%s'"
                    .formatted(setting, SECTION));
  }

  /**
   * The spec that suits the model.
   *
   * @param results the folder for artifacts, or null for one named after the model
   */
  UsedSpec spec(Kvant kvant, @Nullable Path results) {
    Path source = source();
    Recipe recipe;
    try (QuantizableModel opened = kvant.load(source)) {
      recipe = kvant.recommend(opened, request());
    }
    Recipe placed =
        recipe.with(
            recipe.config().toBuilder().modelPath(source).resultsDir(folder(results)).build());
    return UsedSpec.made(RecipeDocument.of(placed, settings()));
  }

  private RecipeRequest request() {
    return request(data == null ? null : CalibrationConfig.of(data));
  }

  /**
   * What a recipe must meet.
   *
   * @param calibration the data with its settings, or null
   */
  RecipeRequest request(@Nullable CalibrationConfig calibration) {
    return RecipeRequest.builder()
        .backend(backend)
        .mode(mode == null ? null : QuantizationMode.of(mode))
        .dtype(dtype == null ? null : Dtype.of(dtype))
        .target(target)
        .calibration(calibration)
        .build();
  }

  /** The model, as an argument or by {@code --model}; there is one where there is no problem. */
  Path source() {
    return model == null ? new PathArgument().convert(named().get(0)) : model;
  }

  /**
   * The folder for artifacts.
   *
   * @param results the folder that was named, or null for one named after the model
   */
  Path folder(@Nullable Path results) {
    return Objects.requireNonNullElseGet(results, () -> folderFor(source()));
  }

  /** As in {@code model-quantized} for {@code model.onnx}, in the working directory. */
  private static Path folderFor(Path source) {
    Path last = source.toAbsolutePath().normalize().getFileName();
    String name = last == null ? "model" : last.toString();
    int dot = name.lastIndexOf('.');
    String stem = dot > 0 && !Files.isDirectory(source) ? name.substring(0, dot) : name;
    return Path.of(stem + "-quantized");
  }

  /** The model as the first argument; nothing if that is a setting. */
  private List<String> named() {
    boolean isModel = !words.isEmpty() && (!words.get(0).contains("=") || isFile(words.get(0)));
    return isModel ? words.subList(0, 1) : List.of();
  }

  /** The arguments behind the model: settings of the data reader, and keys of the spec. */
  List<String> settings() {
    return words.subList(named().size(), words.size());
  }

  private static boolean isFile(String word) {
    try {
      return Files.exists(Path.of(word));
    } catch (InvalidPathException e) {
      return false;
    }
  }
}
