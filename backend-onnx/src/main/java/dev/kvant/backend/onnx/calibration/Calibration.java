package dev.kvant.backend.onnx.calibration;

import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.Device;
import dev.kvant.api.KvantException;
import dev.kvant.api.NonFiniteValues;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.backend.onnx.plan.Activation;
import dev.kvant.backend.onnx.plan.PlannedGraph;
import dev.kvant.kit.Workers;
import dev.kvant.numerics.NonFiniteValueException;
import dev.kvant.numerics.observer.TensorObserver;
import dev.kvant.numerics.observer.TensorStatistics;
import dev.kvant.onnx.graph.FloatValues;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.proto.ValueInfoProto;
import dev.kvant.onnx.runtime.RuntimeSession;
import dev.kvant.onnx.runtime.RuntimeSessions;
import dev.kvant.spi.CalibrationStatistics;
import dev.kvant.spi.Observation;
import dev.kvant.spi.ProgressReporter;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Runs data through a graph and observes the tensors that are to be quantized.
 *
 * @since 0.1.0
 */
public final class Calibration {

  private final PlannedGraph planned;
  private final Map<String, Observation> wanted;

  /**
   * @param planned the graph, which is changed
   * @param wanted what to observe of each tensor, by {@link Activation#tensor()}
   */
  public Calibration(PlannedGraph planned, Map<String, Observation> wanted) {
    this.planned = planned;
    this.wanted = wanted;
  }

  /**
   * Runs all data.
   *
   * @param activations the tensors, as they are named in the graph
   * @throws CalibrationException if there is no data, it does not fit the model, or a value is not
   *     finite and the data refuses that
   */
  public CalibrationStatistics observe(
      Set<Activation> activations,
      CalibrationDataset data,
      Device device,
      int parallelism,
      ProgressReporter progress) {
    Map<String, Optional<TensorStatistics>> seen = new LinkedHashMap<>();
    wanted.keySet().forEach(tensor -> seen.put(tensor, Optional.empty()));
    if (activations.isEmpty()) {
      return new CalibrationStatistics(seen);
    }
    boolean isFinite = data.nonFinite() == NonFiniteValues.REFUSE;
    Samples samples = Samples.of(planned.model());
    Map<String, List<Activation>> byOutput = expose(planned.model(), activations);
    // Sums depend, in their last bits, on the order of what is added.
    int samplesAtOnce = wanted.values().stream().anyMatch(Calibration::isSum) ? 1 : parallelism;
    try (RuntimeSession session = RuntimeSessions.openUnoptimized(planned.model(), device);
        InputSums sums = new InputSums(parallelism);
        Workers<Map<String, TensorObserver>> workers =
            new Workers<>(samplesAtOnce, LinkedHashMap::new)) {
      long batch = 0;
      for (TensorBatch inputs : data) {
        batch++;
        session.check(inputs);
        List<TensorBatch> pieces = samples.of(inputs);
        for (int piece = 0; piece < pieces.size(); piece++) {
          Place place = new Place(batch, piece);
          TensorBatch sample = pieces.get(piece);
          workers.submit(
              observers -> observe(session, sample, byOutput, place, isFinite, observers, sums));
        }
        progress.advance(1, "batch " + batch);
      }
      if (batch == 0) {
        throw new CalibrationException(
            "the calibration data is empty; give at least one batch, a hundred samples are usual");
      }
      Map<String, TensorObserver> merged = new LinkedHashMap<>();
      for (Map<String, TensorObserver> observers : workers.finish()) {
        observers.forEach(
            (tensor, observer) -> merged.computeIfAbsent(tensor, this::observer).merge(observer));
      }
      merged.forEach(
          (tensor, observer) ->
              seen.put(
                  tensor,
                  observer
                      .statistics()
                      .map(known -> sums.of(tensor).map(known::with).orElse(known))));
    }
    return new CalibrationStatistics(seen);
  }

  private static boolean isSum(Observation observation) {
    return observation.compareTo(Observation.SQUARES) >= 0;
  }

  private TensorObserver observer(String tensor) {
    return switch (wanted.getOrDefault(tensor, Observation.EXTREMES)) {
      case EXTREMES -> TensorObserver.ofExtremes();
      case DISTRIBUTION -> TensorObserver.ofDistribution();
      case CHANNELS, SQUARES, PRODUCTS -> TensorObserver.ofChannels();
    };
  }

  /**
   * Where in the data a sample stands.
   *
   * @param batch the batch, counted from 1
   * @param piece which of the pieces that the batch is run in, counted from 0
   */
  private record Place(long batch, int piece) {}

  private void observe(
      RuntimeSession session,
      TensorBatch sample,
      Map<String, List<Activation>> byOutput,
      Place place,
      boolean isFinite,
      Map<String, TensorObserver> observers,
      InputSums sums) {
    try {
      session.run(
          sample,
          byOutput.keySet(),
          (name, tensor) -> {
            // Several activations of one tensor differ only in how they are quantized.
            byOutput.getOrDefault(name, List.of()).stream()
                .limit(1)
                .forEach(
                    activation -> {
                      observe(activation, tensor, place, isFinite, observers);
                      Observation sum = wanted.get(activation.tensor());
                      if (sum != null && isSum(sum)) {
                        sums.add(activation.tensor(), sum, tensor, activation.type(), sample);
                      }
                    });
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

  private void observe(
      Activation activation,
      Tensor tensor,
      Place place,
      boolean isFinite,
      Map<String, TensorObserver> observers) {
    TensorObserver observer = observers.computeIfAbsent(activation.tensor(), this::observer);
    FloatBuffer values = FloatValues.of(activation.type(), tensor.data());
    int lastAxis = lastAxis(tensor.shape());
    if (!isFinite) {
      observer.observeFinite(values, lastAxis);
      return;
    }
    try {
      observer.observe(values, place.piece() * tensor.elements(), lastAxis);
    } catch (NonFiniteValueException e) {
      throw new CalibrationException(
          "batch %d: '%s' is %s at index %d; the model or this batch of the data is not sound; non_finite: ignore leaves such values out"
              .formatted(place.batch(), activation.name(), e.value(), e.index()),
          e);
    }
  }

  private static int lastAxis(List<Long> shape) {
    return shape.isEmpty() ? 1 : Math.toIntExact(shape.get(shape.size() - 1));
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
}
