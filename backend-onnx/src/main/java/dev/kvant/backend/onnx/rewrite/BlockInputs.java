package dev.kvant.backend.onnx.rewrite;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.CalibrationException;
import dev.kvant.backend.onnx.placement.Response;
import dev.kvant.backend.onnx.plan.Activation;
import dev.kvant.backend.onnx.plan.ActivationSetting;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.plan.PlannedGraph;
import dev.kvant.backend.onnx.plan.PlannedGraph.Planned;
import dev.kvant.backend.onnx.preprocess.NormConstants;
import dev.kvant.backend.onnx.weights.BlockEncoder;
import dev.kvant.backend.onnx.weights.BlockFormat;
import dev.kvant.numerics.Gptq;
import dev.kvant.numerics.observer.Gram;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.numerics.observer.TensorStatistics;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.spi.CalibrationStatistics;
import dev.kvant.spi.Observation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the weights in blocks depend on beside themselves: the inputs that they are multiplied by.
 *
 * @since 0.1.0
 */
public final class BlockInputs {

  /** The share of the mean of the diagonal that is added to it; that of GPTQ's authors. */
  private static final double DAMPING = 0.01;

  /** A matrix as products multiply by it. */
  private record Matrix(Initializer constant, int channelAxis, CalibrationAlgorithm algorithm) {}

  private final CalibrationStatistics statistics;

  /**
   * The observed inputs that a module's matrix is multiplied by, in this product and in others, by
   * its name.
   */
  private final Map<String, Set<String>> tensors;

  /** Prepared sums of the last inputs only: products that read one tensor follow each other. */
  private @Nullable Set<String> lastTensors;

  private Optional<Gptq> last = Optional.empty();

  private BlockInputs(CalibrationStatistics statistics, Map<String, Set<String>> tensors) {
    this.statistics = statistics;
    this.tensors = tensors;
  }

  /** What a graph that is not rewritten yet multiplies its matrices by. */
  public static BlockInputs of(PlannedGraph planned, CalibrationStatistics statistics) {
    Map<Matrix, Set<String>> byMatrix = new HashMap<>();
    Map<String, Set<String>> tensors = new HashMap<>();
    for (Planned module : planned.modules()) {
      if (module.decision().weights().isQuantized() && BlockRewriter.multiplies(module)) {
        Set<String> all = byMatrix.computeIfAbsent(matrix(module), each -> new LinkedHashSet<>());
        input(module)
            .map(Activation::tensor)
            .filter(tensor -> products(statistics, tensor, length(module)).isPresent())
            .ifPresent(all::add);
        tensors.put(module.name(), all);
      }
    }
    return new BlockInputs(statistics, tensors);
  }

  private static Matrix matrix(Planned module) {
    return new Matrix(
        module.graph().constant(module.node().input(module.weight().input())).orElseThrow(),
        module.weight().channelAxis(),
        module.decision().weights().settings().algorithm());
  }

  private static Optional<Gram> products(
      CalibrationStatistics statistics, String tensor, int length) {
    return statistics
        .tensor(tensor)
        .flatMap(TensorStatistics::products)
        .filter(sums -> sums.size() == length);
  }

  /**
   * What must be observed of the inputs of which products.
   *
   * @param memory how many bytes all sums of products may take; where that is too little, only
   *     squares of the widest inputs are summed up
   */
  public static Map<Activation, Observation> observations(
      PlannedGraph planned, OnnxOptions options, long memory) {
    Map<Activation, Observation> observations = new LinkedHashMap<>();
    Map<Activation, Integer> sizes = new HashMap<>();
    for (Planned module : planned.modules()) {
      if (options.kernel() != OnnxOptions.Kernel.NBITS || !BlockRewriter.multiplies(module)) {
        continue;
      }
      CalibrationAlgorithm algorithm = module.decision().weights().settings().algorithm();
      Optional<Activation> input = input(module);
      if (input.isPresent() && !algorithm.equals(CalibrationAlgorithm.MINMAX)) {
        observations.merge(
            input.get(),
            algorithm.equals(CalibrationAlgorithm.GPTQ)
                ? Observation.PRODUCTS
                : Observation.SQUARES,
            Observation::or);
        sizes.put(input.get(), length(module));
      }
    }
    List<Activation> narrowFirst = new ArrayList<>(observations.keySet());
    narrowFirst.sort(Comparator.comparing(sizes::get));
    long left = memory;
    for (Activation each : narrowFirst) {
      if (observations.get(each) == Observation.PRODUCTS) {
        left -= Gram.bytes(Objects.requireNonNull(sizes.get(each)));
        if (left < 0) {
          observations.put(each, Observation.SQUARES);
        }
      }
    }
    return observations;
  }

  private static int length(Planned module) {
    return Math.toIntExact(module.weight().tensor().dims().get(1 - module.weight().channelAxis()));
  }

  /** The input of a product in the model's own graph; empty if it is elsewhere or constant. */
  public static Optional<Activation> input(Planned module) {
    String name = module.node().input(module.activationInput());
    Graph home = module.graph().home(name);
    return home == null || !home.place().isEmpty() || module.graph().constant(name).isPresent()
        ? Optional.empty()
        : Optional.of(
            new Activation(
                home.place(),
                name,
                module.type(),
                new ActivationSetting(
                    Grid.UINT8_ASYMMETRIC, CalibrationAlgorithm.MINMAX, Map.of(), Response.NONE)));
  }

  /**
   * Checks that inputs were observed where weights depend on them.
   *
   * @throws CalibrationException if they were not
   */
  public static void require(
      PlannedGraph planned, OnnxOptions options, CalibrationStatistics statistics) {
    if (options.kernel() != OnnxOptions.Kernel.NBITS
        || !statistics.equals(CalibrationStatistics.NONE)) {
      return;
    }
    planned.modules().stream()
        .filter(BlockRewriter::multiplies)
        .filter(module -> isGptq(module) || isAwq(module))
        .filter(module -> input(module).isPresent())
        .findFirst()
        .ifPresent(
            module -> {
              throw new CalibrationException(
                  "%s depends on the inputs of %s, and there are no statistics of them; give calibration data with --calibration, or use algorithm: mse"
                      .formatted(
                          module.decision().weights().settings().algorithm(), module.name()));
            });
  }

  /** Whether the weight of a module is multiplied by factors for its inputs. */
  public static boolean isAwq(Planned module) {
    return module.decision().weights().settings().algorithm().equals(CalibrationAlgorithm.AWQ);
  }

  private static boolean isGptq(Planned module) {
    return module.decision().weights().settings().algorithm().equals(CalibrationAlgorithm.GPTQ);
  }

  /** Why the codes of a weight are not chosen as its algorithm would; empty if they are. */
  public Optional<String> fallback(Planned module) {
    if (!isGptq(module) || !BlockRewriter.multiplies(module)) {
      return Optional.empty();
    }
    Optional<Gram> sums = sums(module);
    if (sums.isEmpty()) {
      return Optional.of(
          "the calibration data never reached its input, or it is inside of a body: ranges by the"
              + " error of the weights instead of gptq");
    }
    return sums.get().isDiagonal()
        ? Optional.of(
            "the products of its %d inputs take %d MB, more than there is memory for: ranges by the weighted error of the weights instead of gptq; give Java more memory (-Xmx)"
                .formatted(sums.get().size(), Gram.bytes(sums.get().size()) >> 20))
        : Optional.empty();
  }

  /** The sums over all inputs that a module's matrix is multiplied by; empty if none was seen. */
  private Optional<Gram> sums(Planned module) {
    return tensors.getOrDefault(module.name(), Set.of()).stream()
        .map(tensor -> products(statistics, tensor, length(module)).orElseThrow())
        .reduce(Gram::plus);
  }

  /** What finds the blocks of a module's weight. */
  BlockEncoder encoder(Planned module, BlockFormat format) {
    CalibrationAlgorithm algorithm = module.decision().weights().settings().algorithm();
    if (algorithm.equals(CalibrationAlgorithm.MINMAX)) {
      return BlockEncoder.spanning(format);
    }
    Optional<Gram> sums = sums(module);
    if (isGptq(module) && sums.filter(each -> !each.isDiagonal()).isPresent()) {
      Optional<Gptq> gptq = gptq(Objects.requireNonNull(tensors.get(module.name())), sums.get());
      if (gptq.isPresent()) {
        return BlockEncoder.ofLeastOutputError(format, gptq.get());
      }
    }
    return BlockEncoder.ofLeastError(
        format, sums.map(Gram::squares).or(() -> normalized(module)).orElse(null));
  }

  /** The mean squares of an input that was not observed but comes from a normalization. */
  private static Optional<double[]> normalized(Planned module) {
    if (!BlockRewriter.multiplies(module)) {
      return Optional.empty();
    }
    return input(module)
        .flatMap(
            input ->
                NormConstants.of(module.graph(), input.tensor(), length(module))
                    .flatMap(norm -> norm.meanSquares(module.graph())));
  }

  private Optional<Gptq> gptq(Set<String> tensors, Gram sums) {
    if (!tensors.equals(lastTensors)) {
      last = Gptq.of(sums, DAMPING);
      lastTensors = tensors;
    }
    return last;
  }
}
