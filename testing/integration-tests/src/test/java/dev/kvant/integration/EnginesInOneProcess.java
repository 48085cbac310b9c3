package dev.kvant.integration;

import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoopTranslator;
import ai.onnxruntime.OrtEnvironment;
import dev.kvant.api.Device;
import dev.kvant.api.ElementType;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.runtime.Kvant;
import dev.kvant.spi.ModelRunner;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Runs the digits' model by DJL's ONNX engine, by Kvant or by ONNX Runtime itself, in turns. */
final class EnginesInOneProcess {

  private static final Path MODEL = Path.of("examples/digits/models/resnet.onnx");
  private static final int PIXELS = 64;
  private static final PrintStream OUT = System.out;

  private EnginesInOneProcess() {}

  /**
   * Runs engines.
   *
   * @param arguments {@code djl}, {@code kvant} or {@code plain}, in order
   */
  public static void main(String... arguments) throws Exception {
    for (String engine : arguments) {
      int outputs =
          switch (engine) {
            case "djl" -> djl();
            case "kvant" -> kvant();
            default -> plain();
          };
      OUT.println(engine + " " + outputs);
    }
  }

  private static int djl() throws Exception {
    Criteria<NDList, NDList> criteria =
        Criteria.builder()
            .setTypes(NDList.class, NDList.class)
            .optEngine("OnnxRuntime")
            .optModelPath(MODEL)
            .optTranslator(new NoopTranslator())
            .build();
    try (ZooModel<NDList, NDList> model = criteria.loadModel();
        Predictor<NDList, NDList> predictor = model.newPredictor()) {
      NDArray input = model.getNDManager().create(new float[PIXELS], new Shape(1, 1, 8, 8));
      input.setName("input");
      return (int) predictor.predict(new NDList(input)).get(0).getShape().size();
    }
  }

  private static int kvant() {
    try (Kvant kvant = Kvant.create();
        ModelRunner runner = kvant.runner(MODEL, Device.CPU)) {
      Tensor input =
          Tensor.of(
              ElementType.FLOAT32,
              List.of(1L, 1L, 8L, 8L),
              ByteBuffer.allocate(PIXELS * Float.BYTES));
      Map<String, Tensor> outputs = runner.run(TensorBatch.of(input));
      return outputs.values().iterator().next().data().remaining() / Float.BYTES;
    }
  }

  private static int plain() throws Exception {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (var session = environment.createSession(MODEL.toString())) {
      return (int) session.getNumInputs();
    }
  }
}
