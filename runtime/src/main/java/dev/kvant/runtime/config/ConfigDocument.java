package dev.kvant.runtime.config;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.Recipe;
import dev.kvant.spi.RegularFile;
import dev.kvant.validation.NearestNames;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A configuration as it is written: a {@code quantize} section inside of a larger document, or that
 * section alone. Understands OmegaConf's {@code ${…}} and {@code ???}, which matter only where
 * something is read: what other sections leave open is their own business.
 *
 * <p>Immutable; the {@code with} methods give changed copies. Whatever the order in which they are
 * called, the paths given by {@link #withModelPath} and its like come before overrides, and
 * overrides before the document.
 *
 * @since 0.1.0
 */
public final class ConfigDocument {

  /** The most bytes that a document may have. */
  public static final int MOST_BYTES = 1 << 20;

  private static final Pattern INHERITED_STREAM =
      Pattern.compile("/dev/(stdin|fd/\\d+)|/proc/(self|\\d+)/fd/\\d+");

  private static final String SECTION = "quantize";
  private static final String RESULTS_DIR = "results_dir";

  /** A document with none of these is not the section alone; it lacks the section. */
  private static final List<String> TELLTALE_KEYS = List.of("backend", "mode", "layers");

  private final Node.Mapping root;
  private final List<Edit> overrides;
  private final List<Edit> flags;
  private final boolean readsResultsDir;
  private final List<Requirement> requirements;
  private final Function<String, @Nullable String> environment;

  /** What a configuration may leave out, but whoever reads this document cannot do without. */
  private record Requirement(
      String key, Function<ModelQuantizationConfig, @Nullable Path> value, String remedy) {}

  private ConfigDocument(
      Node.Mapping root,
      List<Edit> overrides,
      List<Edit> flags,
      boolean readsResultsDir,
      List<Requirement> requirements,
      Function<String, @Nullable String> environment) {
    this.root = root;
    this.overrides = List.copyOf(overrides);
    this.flags = List.copyOf(flags);
    this.readsResultsDir = readsResultsDir;
    this.requirements = List.copyOf(requirements);
    this.environment = environment;
  }

  /**
   * Reads a YAML file of up to {@value #MOST_BYTES} bytes.
   *
   * @throws InvalidConfigurationException if there is no such file, or it is no YAML
   */
  public static ConfigDocument read(Path file) {
    try {
      return parse(text(file), file.toString());
    } catch (NoSuchFileException e) {
      throw new InvalidConfigurationException("", "the file %s does not exist".formatted(file));
    } catch (CharacterCodingException e) {
      throw new InvalidConfigurationException("", "%s is not text in UTF-8".formatted(file));
    } catch (IOException e) {
      throw new InvalidConfigurationException("", "%s cannot be read: %s".formatted(file, e));
    }
  }

  private static String text(Path file) throws IOException {
    byte[] bytes;
    try (InputStream in =
        isInheritedStream(file) ? Files.newInputStream(file) : RegularFile.stream(file)) {
      bytes = in.readNBytes(MOST_BYTES + 1);
    }
    if (bytes.length > MOST_BYTES) {
      throw new InvalidConfigurationException(
          "",
          "%s has more than %d bytes, the most that a document may have"
              .formatted(file, MOST_BYTES));
    }
    return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
  }

  /** Such as {@code /dev/stdin} and what a shell makes of {@code <(command)}: these are open. */
  private static boolean isInheritedStream(Path file) {
    return INHERITED_STREAM.matcher(file.toAbsolutePath().normalize().toString()).matches();
  }

  /**
   * Reads a YAML text.
   *
   * @throws InvalidConfigurationException if it is no YAML
   */
  public static ConfigDocument parse(String yaml) {
    return parse(yaml, "the document");
  }

  private static ConfigDocument parse(String yaml, String source) {
    if (yaml.length() > MOST_BYTES) {
      throw new InvalidConfigurationException(
          "",
          "%s has %d characters; at most %d are read".formatted(source, yaml.length(), MOST_BYTES));
    }
    Node root = YamlReader.read(yaml, source);
    if (root == null) {
      throw new InvalidConfigurationException("", source + " is empty");
    }
    if (root instanceof Node.Mapping mapping) {
      return of(mapping);
    }
    throw new InvalidConfigurationException(
        "", "%s must be a mapping, but is %s".formatted(source, root.kind()));
  }

  /**
   * Writes a recipe as a YAML document that reads as the same configuration: what is not at its
   * default, with a comment on each line.
   *
   * @param recipe the recipe
   * @return the text, lines ended by line feeds
   */
  public static String write(Recipe recipe) {
    return SpecText.of(recipe);
  }

  /**
   * Takes a map that is built like a document: of maps, lists and single values.
   *
   * @throws InvalidConfigurationException if something else is in it
   */
  public static ConfigDocument of(Map<String, ?> values) {
    return of((Node.Mapping) JavaValues.toTree(values));
  }

  private static ConfigDocument of(Node.Mapping root) {
    return new ConfigDocument(root, List.of(), List.of(), true, List.of(), System::getenv);
  }

  /**
   * With values put in as Hydra does it: {@code key=value}, the value in YAML. Keys count from the
   * document's root: {@code quantize.layers[0].weights.dtype=int8}; in a document that is the
   * section alone, from there. A key that is new to a section that Kvant does not read needs {@code
   * +key=value}, so that a slip does not go unnoticed.
   *
   * @throws InvalidConfigurationException with all that are not understood
   */
  public ConfigDocument withOverrides(List<String> keyValues) {
    List<Edit> more = new ArrayList<>(overrides);
    more.addAll(Edit.parse(keyValues));
    return new ConfigDocument(root, more, flags, readsResultsDir, requirements, environment);
  }

  /** With another model to quantize. */
  public ConfigDocument withModelPath(Path model) {
    return withFlag("model_path", model.toString());
  }

  /** With another folder for the artifacts. */
  public ConfigDocument withResultsDir(Path directory) {
    return withFlag(RESULTS_DIR, directory.toString());
  }

  /** With other calibration data. */
  public ConfigDocument withCalibrationData(Path data) {
    return withFlag("calibration.path", data.toString());
  }

  /** With other data for the evaluation. */
  public ConfigDocument withEvaluationData(Path data) {
    return withFlag("evaluation.path", data.toString());
  }

  /** Without reading where artifacts go, for when none are written. */
  public ConfigDocument withoutResultsDir() {
    return new ConfigDocument(root, overrides, flags, false, requirements, environment);
  }

  /**
   * With the demand that there is a model path, so that its lack is told together with all other
   * problems.
   *
   * @param remedy how to mend that, as in {@code set it or give --model FILE}
   */
  public ConfigDocument requiringModelPath(String remedy) {
    return requiring("model_path", ModelQuantizationConfig::modelPath, remedy);
  }

  /**
   * With the demand that there is a folder for the artifacts, likewise.
   *
   * @param remedy how to mend that, as in {@code set it or give --out DIR}
   */
  public ConfigDocument requiringResultsDir(String remedy) {
    return requiring(RESULTS_DIR, ModelQuantizationConfig::resultsDir, remedy);
  }

  private ConfigDocument requiring(
      String key, Function<ModelQuantizationConfig, @Nullable Path> value, String remedy) {
    List<Requirement> more = new ArrayList<>(requirements);
    more.add(new Requirement(key, value, Objects.requireNonNull(remedy, "remedy")));
    return new ConfigDocument(root, overrides, flags, readsResultsDir, more, environment);
  }

  /** With environment variables from elsewhere than this process. */
  public ConfigDocument withEnvironment(Function<String, @Nullable String> variables) {
    Objects.requireNonNull(variables, "variables");
    return new ConfigDocument(root, overrides, flags, readsResultsDir, requirements, variables);
  }

  /** Without a verification of what is written. */
  public ConfigDocument withoutVerification() {
    return withFlag("verify.enabled", false);
  }

  private ConfigDocument withFlag(String key, Object value) {
    KeyPath path =
        (hasSection() ? KeyPath.ROOT.key(SECTION) : KeyPath.ROOT).resolve(KeyPath.parse(key));
    List<Edit> more = new ArrayList<>(flags);
    more.add(new Edit(path, new Node.Scalar(value, value.toString(), 0), true, path + "=" + value));
    return new ConfigDocument(root, overrides, more, readsResultsDir, requirements, environment);
  }

  private boolean hasSection() {
    return root.entries().containsKey(SECTION);
  }

  /**
   * Reads an evaluation that is written as {@code key=value}, with the keys of a document's section
   * {@code evaluation}.
   *
   * @param path the data set
   * @param batchSize how many samples run at once; null for the model's own batch size, else the
   *     default
   * @param keyValues the settings of the data reader, the values in YAML
   * @param dataSettings the keys that the installed data readers understand
   * @throws InvalidConfigurationException with all that is wrong
   */
  public static EvaluationConfig evaluation(
      Path path, @Nullable Integer batchSize, List<String> keyValues, Set<String> dataSettings) {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("path", path);
    if (batchSize != null) {
      values.put("batch_size", batchSize);
    }
    Node root = JavaValues.toTree(values);
    for (Edit edit : Edit.parse(keyValues)) {
      root = edit.applyTo(root);
    }
    List<ConfigurationProblem> problems = new ArrayList<>();
    Interpolator interpolator = new Interpolator((Node.Mapping) root, System::getenv);
    Section section =
        new Section(
            new Located(KeyPath.ROOT, root),
            KeyPath.ROOT,
            interpolator,
            problems,
            new ConfigKeys(EvaluationConfig.class, dataSettings));
    EvaluationConfig evaluation =
        new Binder(section, null, false, dataSettings).evaluation(section);
    if (evaluation == null || !problems.isEmpty()) {
      throw new InvalidConfigurationException(problems);
    }
    return evaluation;
  }

  /**
   * Reads the configuration, with all problems on the way, where no data reader has settings.
   *
   * @throws InvalidConfigurationException if there is no configuration in the document, or an
   *     override fits nowhere
   */
  public BoundConfig bind() {
    return bind(Set.of());
  }

  /**
   * Reads the configuration, with all problems on the way.
   *
   * @param dataSettings the keys of {@code calibration} and {@code evaluation} that the installed
   *     data readers understand
   * @throws InvalidConfigurationException if there is no configuration in the document, or an
   *     override fits nowhere
   */
  public BoundConfig bind(Set<String> dataSettings) {
    List<ConfigurationProblem> problems = new ArrayList<>();
    Node.Mapping effective = withOverridesApplied();
    Interpolator interpolator = new Interpolator(effective, environment);
    Located root = new Located(KeyPath.ROOT, effective);
    if (!hasSection()) {
      if (TELLTALE_KEYS.stream().noneMatch(effective.entries()::containsKey)) {
        throw new InvalidConfigurationException(
            "",
            "there is no section '%s' in the document, only %s"
                .formatted(SECTION, String.join(", ", effective.entries().keySet())));
      }
      Section bare =
          new Section(
              root, KeyPath.ROOT, interpolator, problems, ConfigKeys.quantize(dataSettings));
      return bound(new Binder(bare, null, readsResultsDir, dataSettings).bind(), problems, "");
    }
    Section document = new Section(root, KeyPath.ROOT, interpolator, problems, null);
    Section section = document.section(SECTION, ConfigKeys.quantize(dataSettings));
    if (section == null) {
      throw new InvalidConfigurationException(
          problems.isEmpty() ? List.of(new ConfigurationProblem(SECTION, "is empty")) : problems);
    }
    return bound(
        new Binder(section, document, readsResultsDir, dataSettings).bind(), problems, SECTION);
  }

  private BoundConfig bound(
      ModelQuantizationConfig config, List<ConfigurationProblem> problems, String section) {
    List<ConfigurationProblem> all = new ArrayList<>(problems);
    for (Requirement requirement : requirements) {
      String path = section.isEmpty() ? requirement.key() : section + "." + requirement.key();
      // A value that is there and cannot be read has been complained about.
      if (requirement.value().apply(config) == null
          && problems.stream().noneMatch(known -> known.path().equals(path))) {
        all.add(new ConfigurationProblem(path, "is required; " + requirement.remedy()));
      }
    }
    return new BoundConfig(config, all, section);
  }

  private Node.Mapping withOverridesApplied() {
    List<ConfigurationProblem> problems = new ArrayList<>();
    Node effective = root;
    for (Edit override : overrides) {
      try {
        checkKnown(override, effective);
        effective = override.applyTo(effective);
      } catch (InvalidConfigurationException e) {
        problems.addAll(e.problems());
      }
    }
    if (!problems.isEmpty()) {
      throw new InvalidConfigurationException(problems);
    }
    for (Edit flag : flags) {
      effective = flag.applyTo(effective);
    }
    return (Node.Mapping) effective;
  }

  /** Outside of the section nobody checks keys: there, a key that is not there is likely a slip. */
  private void checkKnown(Edit override, Node document) {
    String first = override.path().keys().get(0);
    if (!hasSection() || override.adds() || first.equals(SECTION) || first.equals(RESULTS_DIR)) {
      return;
    }
    Node at = document;
    for (String key : override.path().keys()) {
      if (at instanceof Node.Mapping mapping) {
        Node child = mapping.entries().get(key);
        if (child == null) {
          List<String> nearest = NearestNames.of(key, mapping.entries().keySet(), 1);
          throw new InvalidConfigurationException(
              "",
              ("the override '%s' sets a key that is not in the document; did you mean '%s'? To add"
                      + " it, write '+%s'")
                  .formatted(
                      Shortened.of(override.written()),
                      nearest.isEmpty() ? SECTION + "." + override.path() : nearest.get(0),
                      Shortened.of(override.written())));
        }
        at = child;
      } else {
        // A list or a single value: applying the override says what is wrong, if anything is.
        return;
      }
    }
  }
}
