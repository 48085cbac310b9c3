package dev.kvant.backend.onnx.calibration;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.Device;
import dev.kvant.api.KvantException;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.backend.onnx.concurrent.Workers;
import dev.kvant.backend.onnx.plan.Activation;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.plan.PlannedGraph;
import dev.kvant.backend.onnx.plan.PlannedGraph.Planned;
import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.numerics.observer.AffineStep;
import dev.kvant.numerics.observer.Grid;
import dev.kvant.numerics.observer.RangeObserver;
import dev.kvant.onnx.graph.FloatValues;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.proto.ValueInfoProto;
import dev.kvant.onnx.runtime.RuntimeSession;
import dev.kvant.spi.ProgressReporter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * What was observed of the tensors that are to be quantized.
 *
 * @since 0.1.0
 */
public final class Calibration {

  private final OnnxOptions options;
  private final Map<Activation, RangeObserver> observers = new LinkedHashMap<>();
  private final Map<Activation, AffineStep> steps = new ConcurrentHashMap<>();

  public Calibration(OnnxOptions options) {
    this.options = options;
  }

  /** The tensors of a graph that must be observed. */
  public Set<Activation> wanted(PlannedGraph planned) {
    Set<Activation> wanted = new LinkedHashSet<>();
    for (Planned module : planned.modules()) {
      module.input(options).ifPresent(wanted::add);
      module.output(options).ifPresent(wanted::add);
    }
    return wanted;
  }

  /**
   * Runs data through a graph.
   *
   * @param planned the graph, which is changed
   * @throws CalibrationException if there is no data, it does not fit the model, or a value is not
   *     finite
   */
  public void observe(
      PlannedGraph planned,
      CalibrationDataset data,
      Device device,
      int parallelism,
      ProgressReporter progress) {
    Set<Activation> wanted = wanted(planned);
    if (wanted.isEmpty()) {
      return;
    }
    Samples samples = Samples.of(planned.model());
    Map<String, List<Activation>> byOutput = expose(planned.model(), wanted);
    try (RuntimeSession session = RuntimeSession.openUnoptimized(planned.model(), device);
        Workers<Map<Activation, RangeObserver>> workers =
            new Workers<>(parallelism, LinkedHashMap::new)) {
      long batch = 0;
      for (TensorBatch inputs : data) {
        batch++;
        session.check(inputs);
        List<TensorBatch> pieces = samples.of(inputs);
        for (int piece = 0; piece < pieces.size(); piece++) {
          Place place = new Place(batch, piece);
          TensorBatch sample = pieces.get(piece);
          workers.submit(observers -> observe(session, sample, byOutput, place, observers));
        }
        progress.advance(1, "batch " + batch);
      }
      if (batch == 0) {
        throw new CalibrationException(
            "the calibration data is empty; give at least one batch, a hundred samples are usual");
      }
      workers.finish().forEach(this::merge);
      observers.forEach(
          (activation, observer) -> workers.submit(any -> findStep(activation, observer)));
      workers.finish();
    }
  }

  /**
   * Where in the data a sample stands.
   *
   * @param batch the batch, counted from 1
   * @param piece which of the pieces that the batch is run in, counted from 0
   */
  private record Place(long batch, int piece) {}

  private static void observe(
      RuntimeSession session,
      TensorBatch sample,
      Map<String, List<Activation>> byOutput,
      Place place,
      Map<Activation, RangeObserver> observers) {
    try {
      session.run(
          sample,
          byOutput.keySet(),
          (name, tensor) -> {
            for (Activation activation : byOutput.getOrDefault(name, List.of())) {
              observe(activation, tensor, place, observers);
            }
          });
    } catch (CalibrationException e) {
      throw e;
    } catch (KvantException e) {
      throw new CalibrationException(
          "batch %d: %s; its inputs are %s"
              .formatted(place.batch(), e.getMessage(), shapes(sample)),
          e);
    }
  }

  private static String shapes(TensorBatch sample) {
    return sample.inputs().entrySet().stream()
        .map(input -> "'%s' %s".formatted(input.getKey(), input.getValue().shape()))
        .collect(Collectors.joining(", "));
  }

  private static void observe(
      Activation activation, Tensor tensor, Place place, Map<Activation, RangeObserver> observers) {
    try {
      observers
          .computeIfAbsent(activation, each -> each.setting().observer())
          .observe(
              FloatValues.of(activation.type(), tensor.data()), place.piece() * tensor.elements());
    } catch (NonFiniteValueException e) {
      throw new CalibrationException(
          "batch %d: '%s' is %s at index %d; the model or this batch of the data is not sound"
              .formatted(place.batch(), activation.name(), e.value(), e.index()),
          e);
    }
  }

  private void merge(Map<Activation, RangeObserver> others) {
    others.forEach(
        (activation, observer) ->
            observers
                .computeIfAbsent(activation, each -> each.setting().observer())
                .merge(observer));
  }

  /** Makes the tensors come out of the model. */
  private static Map<String, List<Activation>> expose(OnnxModel model, Set<Activation> wanted) {
    Map<String, Graph> graphs = new LinkedHashMap<>();
    model.graph().all().forEach(graph -> graphs.put(graph.place(), graph));
    Map<List<String>, String> exposed = new LinkedHashMap<>();
    Map<String, List<Activation>> byOutput = new LinkedHashMap<>();
    InnerValues inner = new InnerValues(model);
    for (Activation activation : wanted) {
      Graph graph = graphs.get(activation.place());
      if (graph == null) {
        throw new IllegalStateException("no graph at '%s'".formatted(activation.place()));
      }
      List<String> place = List.of(activation.place(), activation.name());
      String output = exposed.get(place);
      if (output == null) {
        output =
            inner
                .bringOut(graph, activation.name(), activation.type())
                .orElseThrow(
                    () ->
                        new CalibrationException(
                            "'%s' is inside of an operator whose inner values cannot be observed;"
                                    .formatted(activation.name())
                                + " leave the activations around it native"));
        output = copyInput(model, output);
        exposed.put(place, output);
        if (!isAmong(model.graph().outputs(), output)) {
          model.graph().addOutput(output, activation.type());
        }
      }
      byOutput.computeIfAbsent(output, each -> new ArrayList<>()).add(activation);
    }
    return byOutput;
  }

  /** An input cannot be an output too; a copy of it can. */
  private static String copyInput(OnnxModel model, String value) {
    if (!isAmong(model.graph().inputs(), value)) {
      return value;
    }
    String copy = model.freshName(value + "_copy");
    Node identity =
        Node.create(
            model.freshName(value + "_Identity"), "Identity", List.of(value), List.of(copy));
    model.graph().nodes().add(identity);
    return copy;
  }

  private static boolean isAmong(List<ValueInfoProto> values, String name) {
    return values.stream().anyMatch(value -> value.getName().equals(name));
  }

  private void findStep(Activation activation, RangeObserver observer) {
    if (!observer.isEmpty()) {
      Grid grid = activation.setting().grid();
      steps.put(activation, grid.step(observer.range(grid)));
    }
  }

  /** The step of a tensor; empty if it was never computed while data ran through the model. */
  public Optional<AffineStep> step(Activation activation) {
    return Optional.ofNullable(steps.get(activation));
  }

  /** Whether nothing was observed. */
  public boolean isEmpty() {
    return observers.isEmpty();
  }
}
