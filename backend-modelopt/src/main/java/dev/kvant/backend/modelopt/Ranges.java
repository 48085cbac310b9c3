package dev.kvant.backend.modelopt;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.Distribution;
import dev.kvant.api.Granularity;
import dev.kvant.api.Operand;
import dev.kvant.api.OperandSettings;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.kit.Distributions;
import dev.kvant.kit.NoRange;
import dev.kvant.kit.Observers;
import dev.kvant.kit.Outliers;
import dev.kvant.kit.WeightValues;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.numerics.observer.RangeObserver;
import dev.kvant.numerics.observer.TensorStatistics;
import dev.kvant.numerics.observer.ValueRange;
import dev.kvant.spi.CalibrationStatistics;
import dev.kvant.spi.ProgressReporter;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.TorchModel;
import dev.kvant.torch.script.ScriptCode;
import dev.kvant.torch.script.ScriptModule;
import dev.kvant.torch.script.ScriptTree;
import dev.kvant.torch.tensor.StoredTensor;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Chooses the ranges of all operands that a plan quantizes. */
final class Ranges {

  private record WeightKey(
      String tensor,
      Grid grid,
      OptionalInt axis,
      CalibrationAlgorithm algorithm,
      Map<String, Object> algorithmOptions) {}

  private final ScriptModel model;
  private final ModelOptOptions options;
  private final Optional<CalibrationStatistics> statistics;
  private final Map<String, ScriptModule> firsts = new HashMap<>();
  private final Map<ScriptModule, TensorStatistics> shared = new HashMap<>();
  private final Map<WeightKey, OperandQuantization> weights = new HashMap<>();
  private final Map<String, String> obstacles = new HashMap<>();
  private final Map<String, String> notes = new LinkedHashMap<>();
  private final List<QuantizationWarning> warnings = new ArrayList<>();
  private final Map<String, Map<Operand, Distribution>> distributions = new HashMap<>();

  /**
   * For a model.
   *
   * @param statistics what was observed of modules, by name; empty if no data ran through the model
   */
  Ranges(ScriptModel model, ModelOptOptions options, Optional<CalibrationStatistics> statistics) {
    this.model = model;
    this.options = options;
    this.statistics = statistics;
  }

  /**
   * Chooses them.
   *
   * @param progress counts modules
   */
  ChosenRanges choose(List<PlannedModule> planned, int parallelism, ProgressReporter progress) {
    share(planned);
    Map<String, List<String>> unobserved = new LinkedHashMap<>();
    List<ModuleQuantization> modules = new ArrayList<>();
    for (PlannedModule module : planned) {
      progress.checkCancelled();
      Optional<OperandQuantization> weight =
          module.decision().weights().isQuantized()
              ? Optional.of(weight(module, parallelism))
              : Optional.empty();
      Optional<OperandQuantization> input =
          module.quantizesInput() ? input(module) : Optional.empty();
      if (module.quantizesInput() && input.isEmpty()) {
        String obstacle =
            statistics.isPresent()
                ? obstacles.getOrDefault(module.name(), ObservedArchive.NEVER_REACHED)
                : "there was no calibration data";
        unobserved.computeIfAbsent(obstacle, any -> new ArrayList<>()).add(module.name());
        notes.put(module.name(), "its activations stay native: " + obstacle);
      }
      if (weight.isPresent() || input.isPresent()) {
        modules.add(new ModuleQuantization(module.module(), weight, input));
      }
      progress.advance(1, module.name());
    }
    unobserved.forEach(this::warnOf);
    return new ChosenRanges(modules, notes, warnings, distributions);
  }

  private void warnOf(String obstacle, List<String> names) {
    String message;
    if (statistics.isEmpty()) {
      message =
          "there is no calibration data, so that the activations of %d modules stay native and only weights are quantized; name data under calibration.path"
              .formatted(names.size());
    } else if (obstacle.equals(ObservedArchive.NEVER_REACHED)) {
      message =
          "the calibration data never reached %s, whose activations stay native"
              .formatted(String.join(", ", names));
    } else {
      message =
          "the activations of %s stay native: %s".formatted(String.join(", ", names), obstacle);
    }
    warnings.add(
        new QuantizationWarning(QuantizationWarning.Kind.CALIBRATION, message, null, names));
  }

  private void warnOf(Outliers outliers, String module) {
    warnings.add(
        new QuantizationWarning(
            QuantizationWarning.Kind.CALIBRATION,
            "the input of %s %s; %s".formatted(module, outliers.why(), Outliers.remedy()),
            null,
            List.of(module)));
  }

  /** Modules that are one in Python have one input, whichever of their names it came by. */
  private void share(List<PlannedModule> planned) {
    ScriptTree tree = model.readTree();
    ScriptCode code = model.readCode();
    SharedModules sharedModules = SharedModules.of(tree, code, model.tensors());
    Map<ScriptModule, PlannedModule> decided = new LinkedHashMap<>();
    for (ScriptModule module : tree.modules()) {
      ScriptModule first = sharedModules.first(module);
      firsts.put(module.label(), first);
      ObservedArchive.obstacle(tree, code, module)
          .ifPresent(obstacle -> obstacles.put(module.label(), obstacle));
      statistics
          .flatMap(each -> each.tensor(module.label()))
          .ifPresent(own -> shared.merge(first, own, TensorStatistics::plus));
    }
    for (PlannedModule module : planned) {
      PlannedModule other = decided.putIfAbsent(first(module), module);
      if (other != null
          && !(other.decision().weights().equals(module.decision().weights())
              && other.decision().activations().equals(module.decision().activations()))) {
        warnings.add(
            new QuantizationWarning(
                QuantizationWarning.Kind.UNTIED,
                "%s and %s are one module in Python, but are planned differently; %s does as %s is planned"
                    .formatted(
                        other.name(), module.name(), ModelOptBackend.CHECKPOINT, other.name()),
                null,
                List.of(other.name(), module.name())));
      }
    }
  }

  private ScriptModule first(PlannedModule module) {
    ScriptModule first = firsts.get(module.name());
    if (first == null) {
      throw new IllegalStateException("no module '%s'".formatted(module.name()));
    }
    return first;
  }

  private OperandQuantization weight(PlannedModule module, int parallelism) {
    StoredTensor tensor = model.tensor(module.name(), "weight").orElseThrow();
    OperandSettings settings = module.decision().weights().settings();
    var key =
        new WeightKey(
            tensor.identity(),
            PlannedModule.grid(module.decision().weights()),
            axis(module, settings.granularity()),
            settings.algorithm(),
            settings.algorithmOptions());
    var values = new WeightValues(TorchModel.qualified(module.name(), "weight"), tensor);
    OperandQuantization chosen =
        weights.computeIfAbsent(
            key,
            any ->
                OperandQuantization.of(
                    values,
                    key.grid(),
                    key.axis(),
                    () -> Observers.of(settings.algorithm(), settings.algorithmOptions()),
                    parallelism));
    Distributions.ofWeight(values::readAny, tensor.elements(), chosen.widest())
        .ifPresent(found -> describe(module, Operand.WEIGHTS, found));
    return chosen;
  }

  private void describe(PlannedModule module, Operand operand, Distribution found) {
    distributions
        .computeIfAbsent(module.name(), any -> new EnumMap<>(Operand.class))
        .put(operand, found);
  }

  /** The axis along which ranges differ; empty for one range. */
  private OptionalInt axis(PlannedModule module, @Nullable Granularity granularity) {
    if (granularity instanceof Granularity.PerAxis along) {
      return OptionalInt.of(along.axis());
    }
    boolean perChannel =
        granularity == null ? options.perChannel() : granularity.equals(Granularity.CHANNEL);
    return perChannel ? OptionalInt.of(module.kind().outputAxis()) : OptionalInt.empty();
  }

  private Optional<OperandQuantization> input(PlannedModule module) {
    TensorStatistics observed = shared.get(first(module));
    if (observed == null) {
      return Optional.empty();
    }
    Grid grid = PlannedModule.grid(module.decision().activations());
    OperandSettings settings = module.decision().activations().settings();
    RangeObserver observer = Observers.of(settings.algorithm(), settings.algorithmOptions());
    observed.showTo(observer);
    ValueRange range = observer.range(grid);
    Optional<NoRange> useless = NoRange.of(range);
    if (useless.isPresent()) {
      obstacles.putIfAbsent(
          module.name(), "the input %s; %s".formatted(useless.get().why(), useless.get().remedy()));
      return Optional.empty();
    }
    if (grid.isInteger()) {
      Outliers.of(grid.step(range).scale(), observed)
          .ifPresent(found -> warnOf(found, module.name()));
    }
    OperandQuantization chosen = OperandQuantization.perTensor(grid, range.amax());
    observed
        .histogram()
        .flatMap(counted -> Distributions.of(counted, grid, settings.algorithm(), chosen.widest()))
        .ifPresent(found -> describe(module, Operand.ACTIVATIONS, found));
    return Optional.of(chosen);
  }
}
