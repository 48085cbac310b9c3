package dev.kvant.torch.runtime;

import ai.djl.engine.EngineException;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.Device;
import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.api.KvantException;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.spi.ModelRunner;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.tensor.StoredTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * One TorchScript model in libtorch, in evaluation mode and without gradients.
 *
 * @since 0.1.0
 */
public final class TorchScriptRunner implements ModelRunner {

  private static final String GRAPH_OPTIMIZER = "ai.djl.pytorch.graph_optimizer";
  private static final String INTERPRETER = "The following operation failed";

  private static final Pattern MISSING_OPERATOR =
      Pattern.compile("Unknown builtin op: ([\\w:]+(?:\\.\\w+)?)");

  private final Path model;
  private final ForwardSignature signature;
  private final PtNDManager manager;
  private final PtSymbolBlock module;
  private final TensorExchange exchange;
  private boolean closed;

  private TorchScriptRunner(
      Path model, ForwardSignature signature, PtNDManager manager, PtSymbolBlock module) {
    this.model = model;
    this.signature = signature;
    this.manager = manager;
    this.module = module;
    this.exchange = new TensorExchange(manager);
  }

  /**
   * Loads a model file.
   *
   * @throws dev.kvant.api.UnavailableException if the device or libtorch is missing
   * @throws ModelFormatException if the file cannot be loaded
   */
  public static TorchScriptRunner open(Path model, Device device) {
    try (TorchArchive archive = TorchArchive.open(model)) {
      return open(model, archive, device);
    }
  }

  /**
   * Loads a changed copy of a model with the same inputs. The copy is read whole and may be removed
   * afterwards; errors name the model.
   *
   * @throws dev.kvant.api.UnavailableException if the device or libtorch is missing
   * @throws ModelFormatException if the copy cannot be loaded
   */
  public static TorchScriptRunner openCopy(Path copy, ScriptModel model, Device device) {
    return open(copy, model.archive(), device);
  }

  private static TorchScriptRunner open(Path file, TorchArchive original, Device device) {
    ForwardSignature signature = ForwardSignature.read(original);
    Path model = original.path();
    Libtorch libtorch = Libtorch.load();
    PtNDManager manager = libtorch.manager(device);
    try {
      return new TorchScriptRunner(model, signature, manager, load(file, manager));
    } catch (EngineException e) {
      manager.close();
      throw unloadable(model, libtorch.version(), e);
    }
  }

  private static ModelFormatException unloadable(
      Path model, String version, EngineException failure) {
    Matcher missing = MISSING_OPERATOR.matcher(String.valueOf(failure.getMessage()));
    return new ModelFormatException(
        missing.find()
            ? "%s cannot be loaded by libtorch %s, which lacks its operator '%s': the model was saved by another version of PyTorch, or needs an extension; save it again with PyTorch %s, or without this operator"
                .formatted(model, version, missing.group(1), version)
            : "%s cannot be loaded by libtorch %s: %s".formatted(model, version, reason(failure)),
        failure);
  }

  /** All tensors are placed on the device, independent of their device in the file. */
  private static PtSymbolBlock load(Path model, PtNDManager manager) {
    return JniUtils.loadModule(
        manager, model.toAbsolutePath(), true, new String[0], new String[0], false);
  }

  @Override
  public List<InputDescription> inputs() {
    return signature.inputs();
  }

  @Override
  public Map<String, Tensor> run(TensorBatch batch) {
    return run(batch, this::read);
  }

  /**
   * Runs one batch for its side effects and ignores the outputs. The graph is not optimized,
   * because that is worthwhile only after many batches.
   *
   * @throws CalibrationException if the batch does not fit the model's inputs
   */
  public void runForEffect(TensorBatch batch) {
    withoutOptimizer(() -> run(batch, (result, scope) -> Map.of()));
  }

  /** The optimizer's setting belongs to this thread; DJL sets it from its property. */
  private static Map<String, Tensor> withoutOptimizer(Supplier<Map<String, Tensor>> action) {
    JniUtils.setGraphExecutorOptimize(false);
    try {
      return action.get();
    } finally {
      JniUtils.setGraphExecutorOptimize(
          Boolean.parseBoolean(System.getProperty(GRAPH_OPTIMIZER, "true")));
    }
  }

  /** Whether tensors of a type can be passed to a model by {@link #give}. */
  public static boolean takes(ElementType type) {
    return TensorExchange.takes(type);
  }

  /**
   * Passes tensors to a method with a list as its parameter. They are read into memory of libtorch,
   * on the host, which the model may keep.
   *
   * @param tensors each of a type that the runner {@link #takes} and of at most 2<sup>31</sup> - 1
   *     bytes
   * @throws KvantException if there is no such method, or it fails
   */
  public void give(String method, List<? extends StoredTensor> tensors) {
    checkOpen();
    try (PtNDManager scope = manager.newSubManager(ai.djl.Device.cpu());
        IValue list =
            IValue.listFrom(
                tensors.stream()
                    .map(tensor -> TensorExchange.read(tensor, scope))
                    .toArray(PtNDArray[]::new))) {
      withoutOptimizer(
          () -> {
            IValueUtils.runMethod(module, method, list).close();
            return Map.of();
          });
    } catch (EngineException e) {
      throw unable(method, e);
    }
  }

  /**
   * Calls a method without parameters. Its graph is not optimized either.
   *
   * @return its outputs, named as by {@link #run}
   * @throws KvantException if there is no such method, it fails, or its outputs cannot be read
   */
  public Map<String, Tensor> call(String method) {
    checkOpen();
    try (PtNDManager scope = manager.newSubManager(manager.getDevice())) {
      return withoutOptimizer(
          () -> {
            try (IValue result = IValueUtils.runMethod(module, method)) {
              return read(result, scope);
            }
          });
    } catch (EngineException e) {
      throw unable(method, e);
    }
  }

  private KvantException unable(String method, EngineException cause) {
    return new KvantException(
        "%s cannot run '%s': %s".formatted(model, method, reason(cause)), cause);
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the model was closed");
    }
  }

  private Map<String, Tensor> run(
      TensorBatch batch, BiFunction<IValue, PtNDManager, Map<String, Tensor>> reader) {
    checkOpen();
    Map<String, Tensor> inputs = signature.arrange(batch);
    List<IValue> values = new ArrayList<>();
    try (PtNDManager scope = manager.newSubManager(manager.getDevice())) {
      inputs.forEach((name, tensor) -> values.add(exchange.toValue(name, tensor, scope)));
      try (IValue result = forward(values, inputs)) {
        return reader.apply(result, scope);
      }
    } finally {
      values.forEach(IValue::close);
    }
  }

  private IValue forward(List<IValue> values, Map<String, Tensor> inputs) {
    try {
      return IValueUtils.runMethod(module, "forward", values.toArray(IValue[]::new));
    } catch (EngineException e) {
      throw new CalibrationException(
          "%s cannot run on %s: %s"
              .formatted(
                  model,
                  inputs.entrySet().stream()
                      .map(input -> "'%s' %s".formatted(input.getKey(), input.getValue()))
                      .collect(Collectors.joining(", ")),
                  reason(e)),
          e);
    }
  }

  private Map<String, Tensor> read(IValue answer, PtNDManager scope) {
    try {
      return exchange.toTensors(answer, scope);
    } catch (EngineException e) {
      throw new KvantException(
          "%s returns an output that cannot be read (%s): %s"
              .formatted(model, answer.getType(), reason(e)),
          e);
    }
  }

  /** libtorch puts the reason first, but last if it shows a trace of the model's code. */
  private static String reason(EngineException failure) {
    List<String> lines =
        String.valueOf(failure.getMessage()).lines().filter(line -> !line.isBlank()).toList();
    if (lines.isEmpty()) {
      return failure.toString();
    }
    return lines.get(lines.get(0).startsWith(INTERPRETER) ? lines.size() - 1 : 0).strip();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      manager.close();
    }
  }
}
