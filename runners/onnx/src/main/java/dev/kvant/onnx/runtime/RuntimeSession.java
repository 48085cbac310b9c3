package dev.kvant.onnx.runtime;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.TensorInfo;
import dev.kvant.api.CalibrationException;
import dev.kvant.api.Device;
import dev.kvant.api.ElementType;
import dev.kvant.api.InputDescription;
import dev.kvant.api.KvantException;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.api.UnavailableException;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.OnnxWriter;
import dev.kvant.spi.Processor;
import dev.kvant.spi.RegularFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * A model loaded into ONNX Runtime by {@link RuntimeSessions}: the one place that knows its
 * classes.
 *
 * @since 0.1.0
 */
public final class RuntimeSession implements AutoCloseable {

  private static final Map<OnnxJavaType, ElementType> TYPES =
      Map.ofEntries(
          Map.entry(OnnxJavaType.FLOAT, ElementType.FLOAT32),
          Map.entry(OnnxJavaType.DOUBLE, ElementType.FLOAT64),
          Map.entry(OnnxJavaType.FLOAT16, ElementType.FLOAT16),
          Map.entry(OnnxJavaType.BFLOAT16, ElementType.BFLOAT16),
          Map.entry(OnnxJavaType.INT8, ElementType.INT8),
          Map.entry(OnnxJavaType.UINT8, ElementType.UINT8),
          Map.entry(OnnxJavaType.INT16, ElementType.INT16),
          Map.entry(OnnxJavaType.INT32, ElementType.INT32),
          Map.entry(OnnxJavaType.INT64, ElementType.INT64),
          Map.entry(OnnxJavaType.BOOL, ElementType.BOOL));

  /** Failures are thrown as well; written to the process's output they would stand there twice. */
  private static final OrtLoggingLevel LOGGED = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL;

  private static final String EXTERNAL_FOLDER =
      "session.model_external_initializers_file_folder_path";

  /**
   * Computes with uint8 weights instead of int8 ones, whose products processors without VNNI add in
   * 16 bits.
   */
  private static final String EXACT_PRODUCTS = "session.x64quantprecision";

  /** The most bytes that a copy of a graph may hold itself on the heap. */
  private static final long LARGEST_IN_MEMORY = 64 << 20;

  private final OrtEnvironment environment;
  private final OrtSession session;
  private final InputContract contract;
  private boolean closed;

  private RuntimeSession(OrtEnvironment environment, OrtSession session, InputContract contract) {
    this.environment = environment;
    this.session = session;
    this.contract = contract;
  }

  /** As {@link RuntimeSessions#open}. */
  static RuntimeSession open(Path model, Device device) {
    checkReadable(model);
    return open(
        model,
        device,
        SessionOptions.OptLevel.ALL_OPT,
        (environment, options) -> environment.createSession(model.toString(), options));
  }

  /** As {@link RuntimeSessions#openUnoptimized(Path, Device)}. */
  static RuntimeSession openUnoptimized(Path model, Device device) {
    checkReadable(model);
    return open(
        model,
        device,
        SessionOptions.OptLevel.NO_OPT,
        (environment, options) -> environment.createSession(model.toString(), options));
  }

  /** ONNX Runtime would wait for what comes out of a pipe. */
  private static void checkReadable(Path model) {
    try {
      RegularFile.check(model);
    } catch (IOException e) {
      throw new ModelFormatException("%s cannot be read: %s".formatted(model, e), e);
    }
  }

  /** As {@link RuntimeSessions#openUnoptimized(OnnxModel, Device)}. */
  static RuntimeSession openUnoptimized(OnnxModel model, Device device) {
    boolean fitsFile = OnnxWriter.size(model) <= OnnxWriter.LARGEST_FILE;
    boolean fitsHeap = OnnxWriter.changedBytes(model) <= LARGEST_IN_MEMORY;
    return (fitsHeap || !fitsFile) && RuntimeVersion.findsTensorsBesideBytes(version())
        ? openBytes(model, device)
        : openCopy(model, device, fitsFile);
  }

  /** Through bytes that refer to the tensors in the files of the model. */
  private static RuntimeSession openBytes(OnnxModel model, Device device) {
    byte[] graph = OnnxWriter.toBytes(model);
    return open(
        model.source(),
        device,
        SessionOptions.OptLevel.NO_OPT,
        (environment, options) -> {
          Path folder = model.source().toAbsolutePath().getParent();
          options.setIntraOpNumThreads(1);
          options.addConfigEntry(EXTERNAL_FOLDER, String.valueOf(folder));
          return environment.createSession(graph, options);
        });
  }

  /**
   * Through a temporary file, or two if one cannot hold everything, so that what was changed need
   * not be on the heap once more.
   */
  private static RuntimeSession openCopy(OnnxModel model, Device device, boolean inOneFile) {
    try {
      Path folder = Files.createTempDirectory("kvant");
      Path file = folder.resolve("model.onnx");
      Path data = folder.resolve("model.onnx.data");
      try {
        Files.createFile(file);
        if (inOneFile) {
          OnnxWriter.write(model, file);
        } else {
          OnnxWriter.write(model, file, Files.createFile(data), String.valueOf(data.getFileName()));
        }
        return open(
            model.source(),
            device,
            SessionOptions.OptLevel.NO_OPT,
            (environment, options) -> {
              options.setIntraOpNumThreads(1);
              return environment.createSession(file.toString(), options);
            });
      } finally {
        for (Path each : List.of(data, file, folder)) {
          delete(each);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("no temporary file can be written", e);
    }
  }

  /** Now or, where a system keeps files that are mapped into memory, when the process ends. */
  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      file.toFile().deleteOnExit();
    }
  }

  @FunctionalInterface
  interface Loader {
    OrtSession load(OrtEnvironment environment, SessionOptions options) throws OrtException;
  }

  private static RuntimeSession open(
      Path model, Device device, SessionOptions.OptLevel level, Loader loader) {
    OrtEnvironment environment = environment();
    Processor processor = Processor.ofThisProcess();
    try {
      OrtSession session = load(environment, device, level, processor, loader);
      return new RuntimeSession(environment, session, contract(session));
    } catch (OrtException e) {
      throw new ModelFormatException(
          "%s cannot be loaded by ONNX Runtime %s: %s"
              .formatted(model, environment.getVersion(), e.getMessage()),
          e);
    }
  }

  /** Loads a model with exact products; without, if ONNX Runtime cannot load it that way. */
  static OrtSession load(
      OrtEnvironment environment,
      Device device,
      SessionOptions.OptLevel level,
      Processor processor,
      Loader loader)
      throws OrtException {
    if (processor.addsProductsIn16Bits()) {
      try (SessionOptions options = options(device, level)) {
        options.addConfigEntry(EXACT_PRODUCTS, "1");
        return loader.load(environment, options);
      } catch (OrtException e) {
        // It fails for graphs in which two nodes read the same codes; the model itself may be
        // sound.
        return loadAsIs(environment, device, level, loader);
      }
    }
    return loadAsIs(environment, device, level, loader);
  }

  private static OrtSession loadAsIs(
      OrtEnvironment environment, Device device, SessionOptions.OptLevel level, Loader loader)
      throws OrtException {
    try (SessionOptions options = options(device, level)) {
      return loader.load(environment, options);
    }
  }

  private static SessionOptions options(Device device, SessionOptions.OptLevel level)
      throws OrtException {
    SessionOptions options = new SessionOptions();
    try {
      options.setOptimizationLevel(level);
      options.setSessionLogLevel(LOGGED);
      use(device, options);
      return options;
    } catch (OrtException | RuntimeException e) {
      options.close();
      throw e;
    }
  }

  private static String version() {
    return environment().getVersion();
  }

  private static OrtEnvironment environment() {
    try {
      DjlEngine.startFirst();
      // With the level and the name that everybody gets: it is the application's too.
      OrtEnvironment environment = OrtEnvironment.getEnvironment();
      UnpackedLibraries.deleteBeforeTheirFolder();
      RuntimeVersion.fault(environment.getVersion(), null)
          .ifPresent(
              fault -> {
                throw new UnavailableException(fault);
              });
      return environment;
    } catch (LinkageError e) {
      throw new UnavailableException(
          ("ONNX Runtime's native library cannot be loaded on this machine (%s, %s): %s. It is"
                  + " unpacked to %s; if that is full or cannot be written, name another folder"
                  + " with -Djava.io.tmpdir")
              .formatted(
                  System.getProperty("os.name"),
                  System.getProperty("os.arch"),
                  cause(e),
                  System.getProperty("java.io.tmpdir")),
          e);
    }
  }

  private static Throwable cause(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  private static void use(Device device, SessionOptions options) throws OrtException {
    if (device.equals(Device.CPU)) {
      return;
    }
    if (!OrtEnvironment.getAvailableProviders().contains(OrtProvider.CUDA)) {
      throw new UnavailableException(
          "device %s: the ONNX Runtime on the class path has no CUDA; use device cpu, or put"
                  .formatted(device)
              + " com.microsoft.onnxruntime:onnxruntime_gpu in its place");
    }
    String name = device.name();
    int colon = name.indexOf(':');
    options.addCUDA(colon < 0 ? 0 : Integer.parseInt(name.substring(colon + 1)));
  }

  private static InputContract contract(OrtSession session) throws OrtException {
    List<InputDescription> inputs = new ArrayList<>();
    for (NodeInfo input : session.getInputInfo().values()) {
      if (!(input.getInfo() instanceof TensorInfo info) || !TYPES.containsKey(info.type)) {
        throw new ModelFormatException(
            "input '%s' is %s; only inputs that are tensors of numbers can be fed"
                .formatted(input.getName(), input.getInfo()));
      }
      inputs.add(
          InputDescription.of(
              input.getName(),
              TYPES.get(info.type),
              Arrays.stream(info.getShape()).boxed().toList()));
    }
    return new InputContract(inputs);
  }

  /** The inputs, in order. */
  public List<InputDescription> inputs() {
    return contract.inputs();
  }

  /** The names of the outputs, in order. */
  public List<String> outputs() {
    return List.copyOf(session.getOutputNames());
  }

  /**
   * Checks a batch before it is run or cut.
   *
   * @throws CalibrationException if it does not fit the inputs
   */
  public void check(TensorBatch batch) {
    contract.check(batch);
  }

  /**
   * Runs a batch. Several threads may run batches at once.
   *
   * @param wanted the names of the outputs to compute
   * @param outputs takes one output after the other
   * @throws CalibrationException if the batch does not fit the inputs
   */
  public void run(
      TensorBatch batch, Collection<String> wanted, BiConsumer<String, Tensor> outputs) {
    if (closed) {
      throw new IllegalStateException("the model was closed");
    }
    run(contract.check(batch), wanted, outputs);
  }

  /** Runs a model that has no inputs. */
  public void run(BiConsumer<String, Tensor> outputs) {
    run(Map.of(), outputs(), outputs);
  }

  private void run(
      Map<String, Tensor> tensors, Collection<String> wanted, BiConsumer<String, Tensor> outputs) {
    Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
    try {
      for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
        inputs.put(entry.getKey(), toRuntime(entry.getValue()));
      }
      try (OrtSession.Result result = session.run(inputs, new LinkedHashSet<>(wanted))) {
        for (Map.Entry<String, OnnxValue> output : result) {
          outputs.accept(output.getKey(), toTensor(output.getKey(), output.getValue()));
        }
      }
    } catch (OrtException e) {
      throw new KvantException(
          "ONNX Runtime %s could not run the model: %s"
              .formatted(environment.getVersion(), e.getMessage()),
          e);
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  private OnnxTensor toRuntime(Tensor tensor) throws OrtException {
    ByteBuffer data = tensor.data();
    ByteBuffer direct =
        ByteBuffer.allocateDirect(data.remaining()).order(ByteOrder.nativeOrder()).put(data).flip();
    OnnxJavaType type =
        TYPES.entrySet().stream()
            .filter(entry -> entry.getValue().equals(tensor.elementType()))
            .map(Map.Entry::getKey)
            .findFirst()
            .orElseThrow();
    long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
    return OnnxTensor.createTensor(environment, direct, shape, type);
  }

  private static Tensor toTensor(String name, OnnxValue value) {
    if (!(value instanceof OnnxTensor tensor) || !TYPES.containsKey(tensor.getInfo().type)) {
      throw new KvantException(
          "output '%s' is %s; only outputs that are tensors of numbers can be read"
              .formatted(name, value.getInfo()));
    }
    List<Long> shape = Arrays.stream(tensor.getInfo().getShape()).boxed().toList();
    return Tensor.of(TYPES.get(tensor.getInfo().type), shape, tensor.getByteBuffer());
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      session.close();
    } catch (OrtException e) {
      throw new KvantException("ONNX Runtime could not unload the model: " + e.getMessage(), e);
    }
  }
}
