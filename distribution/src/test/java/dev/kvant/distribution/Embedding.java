package dev.kvant.distribution;

import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoopTranslator;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import com.google.gson.Gson;
import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.Device;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.KvantException;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizedModel;
import dev.kvant.api.SavedModel;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.config.ConfigDocument;
import dev.kvant.runtime.evaluation.Evaluation;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.ref.WeakReference;
import java.lang.runtime.ObjectMethods;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * An application that embeds Kvant with plugin folders, for a process of its own. What it is told
 * to do it does in that order: {@code torch} and {@code onnx} run a model with an engine of its
 * own; the name of a spec makes a Kvant that quantizes and evaluates, and is closed. As JSON it
 * says what came of each and, in the end, what its process holds.
 */
final class Embedding {

  private static final Path DIGITS = Path.of("examples", "digits");
  private static final int PIXELS = 64;

  private Embedding() {}

  public static void main(String[] arguments) throws Throwable {
    Path plugins = Path.of(arguments[0]);
    Path results = Path.of(arguments[1]);
    List<Map<String, Object>> answers = new ArrayList<>();
    for (String task : List.of(arguments).subList(2, arguments.length)) {
      answers.add(
          switch (task) {
            case "torch" -> Map.of("logits", Torch.run());
            case "onnx" -> Map.of("logits", Onnx.run());
            default -> kvant(DIGITS.resolve(task), plugins, results);
          });
    }
    System.out.println(
        new Gson().toJson(Map.of("answers", answers, "libraries", nativeLibraries())));
  }

  /** How many samples the quantized model got right, and what is left of that Kvant. */
  private static Map<String, Object> kvant(Path spec, Path plugins, Path results) throws Throwable {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    Map<String, Object> answer = new LinkedHashMap<>();
    Map<String, WeakReference<ClassLoader>> loaders = new TreeMap<>();
    try (Kvant kvant = Kvant.builder().withoutDiscovery().pluginDirectory(plugins).build()) {
      answer.put("correct", quantizeAndEvaluate(kvant, spec, results, loaders));
    } catch (KvantException e) {
      answer.put("error", String.valueOf(e.getMessage()));
    }
    answer.put("threads", threadsSince(before));
    answer.put("loaders", stillThere(loaders));
    return answer;
  }

  private static Long quantizeAndEvaluate(
      Kvant kvant, Path spec, Path results, Map<String, WeakReference<ClassLoader>> loaders) {
    ConfigDocument document = ConfigDocument.read(spec).withResultsDir(results);
    try (ModelQuantizer quantizer = kvant.quantizer(document);
        QuantizableModel model =
            kvant.load(Objects.requireNonNull(quantizer.config().modelPath()))) {
      remember(model, loaders);
      CalibrationConfig calibration = quantizer.config().calibration();
      QuantizedModel quantized =
          calibration == null
              ? quantizer.quantizeModel(model)
              : quantizer.quantizeModel(model, kvant.calibrationData(calibration, model));
      remember(quantized, loaders);
      SavedModel saved = quantizer.saveModel(quantized, results);
      Path artifact = saved.artifacts().get(saved.artifacts().size() - 1).path();
      Evaluation evaluation =
          kvant.evaluate(
              artifact, null, EvaluationConfig.of(DIGITS.resolve("data/test.npz"), 64), Device.CPU);
      return Objects.requireNonNull(evaluation.model().correct());
    }
  }

  private static void remember(Object object, Map<String, WeakReference<ClassLoader>> loaders) {
    ClassLoader loader = object.getClass().getClassLoader();
    boolean isOfPlugin = loader != Embedding.class.getClassLoader();
    if (isOfPlugin && loader != null && loader.getName() != null) {
      loaders.put(loader.getName(), new WeakReference<>(loader));
    }
  }

  /** The names of threads that are alive and were not there before. */
  private static List<String> threadsSince(Set<Thread> before) throws InterruptedException {
    List<String> since = new ArrayList<>();
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (!before.contains(thread)) {
        // One that has been told to end may need a moment for that.
        thread.join(5_000);
        if (thread.isAlive()) {
          since.add(thread.getName());
        }
      }
    }
    return since;
  }

  /** A record whose methods can be made. */
  private record Newest(String name) {}

  /**
   * Java 17 holds the types that the components of that record have whose methods were made last,
   * and with them their class loader.
   */
  private static void makeMethodsOfAnotherRecord() throws Throwable {
    MethodHandles.Lookup lookup = MethodHandles.lookup();
    MethodHandle name = lookup.findGetter(Newest.class, "name", String.class);
    for (MethodType type :
        List.of(
            MethodType.methodType(boolean.class, Newest.class, Object.class),
            MethodType.methodType(int.class, Newest.class),
            MethodType.methodType(String.class, Newest.class))) {
      String method =
          type.returnType() == boolean.class
              ? "equals"
              : type.returnType() == int.class ? "hashCode" : "toString";
      ObjectMethods.bootstrap(lookup, method, type, Newest.class, "name", name);
    }
  }

  /** The names of those that no garbage collection takes away. */
  private static List<String> stillThere(Map<String, WeakReference<ClassLoader>> loaders)
      throws Throwable {
    makeMethodsOfAnotherRecord();
    for (int i = 0; i < 20 && loaders.values().stream().anyMatch(each -> each.get() != null); i++) {
      System.gc();
      Thread.sleep(50);
    }
    return loaders.entrySet().stream()
        .filter(each -> each.getValue().get() != null)
        .map(Map.Entry::getKey)
        .toList();
  }

  /** The files of the native libraries of engines. */
  private static List<String> nativeLibraries() throws IOException {
    try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
      return maps.map(line -> line.replaceFirst(".* ", ""))
          .filter(file -> file.matches(".*/lib(torch_cpu|onnxruntime)\\.so.*"))
          .distinct()
          .toList();
    }
  }

  /** Apart, since not every application has DJL. */
  private static final class Torch {

    static float[] run() throws Exception {
      Criteria<NDList, NDList> criteria =
          Criteria.builder()
              .setTypes(NDList.class, NDList.class)
              .optModelPath(DIGITS.resolve("models/resnet_traced.pt"))
              .optEngine("PyTorch")
              .optTranslator(new NoopTranslator())
              .build();
      try (ZooModel<NDList, NDList> model = criteria.loadModel();
          Predictor<NDList, NDList> predictor = model.newPredictor();
          NDManager manager = Engine.getEngine("PyTorch").newBaseManager()) {
        NDList input = new NDList(manager.zeros(new Shape(1, 1, 8, 8), DataType.FLOAT32));
        return predictor.predict(input).singletonOrThrow().toFloatArray();
      }
    }
  }

  /** Apart, since not every application has ONNX Runtime. */
  private static final class Onnx {

    static float[] run() throws Exception {
      OrtEnvironment environment = OrtEnvironment.getEnvironment();
      try (OrtSession session =
              environment.createSession(DIGITS.resolve("models/resnet.onnx").toString());
          OnnxTensor input =
              OnnxTensor.createTensor(
                  environment, FloatBuffer.allocate(PIXELS), new long[] {1, 1, 8, 8});
          OrtSession.Result result =
              session.run(Map.of(session.getInputNames().iterator().next(), input))) {
        return ((float[][]) result.get(0).getValue())[0];
      }
    }
  }
}
