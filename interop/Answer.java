import dev.kvant.api.Device;
import dev.kvant.api.ElementType;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.runtime.Kvant;
import dev.kvant.spi.ModelRunner;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Runs TorchScript through DJL: {@code Answer OUT MODEL,MODEL… NAME:DTYPE:SHAPE:FILE…}, all files raw and little-endian. */
class Answer {
  public static void main(String[] arguments) throws Exception {
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    for (String argument : Arrays.asList(arguments).subList(2, arguments.length)) {
      String[] parts = argument.split(":", 4);
      List<Long> shape = Arrays.stream(parts[2].split("x")).map(Long::valueOf).toList();
      inputs.put(parts[0], Tensor.of(ElementType.find(parts[1].toLowerCase(Locale.ROOT)).orElseThrow(), shape, ByteBuffer.wrap(Files.readAllBytes(Path.of(parts[3])))));
    }
    String[] models = arguments[1].split(",");
    try (Kvant kvant = Kvant.create()) {
      for (int i = 0; i < models.length; i++) {
        try (ModelRunner runner = kvant.runner(Path.of(models[i]), Device.CPU)) {
          float[] answer = runner.run(new TensorBatch(inputs)).values().iterator().next().toFloats();
          ByteBuffer bytes = ByteBuffer.allocate(4 * answer.length).order(ByteOrder.LITTLE_ENDIAN);
          bytes.asFloatBuffer().put(answer);
          Files.write(Path.of(arguments[0] + "." + i), bytes.array());
        }
      }
    }
  }
}
