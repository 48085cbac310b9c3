package dev.kvant.integration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.SavedModel;
import dev.kvant.runtime.Kvant;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("A model of a third party's format")
class ThirdPartyFormatTest {

  private static final Path SAFETENSORS =
      Path.of("..", "..", "examples", "digits", "models", "transformer.safetensors");

  @TempDir private Path folder;

  @Test
  void is_quantized_by_torchao_as_the_same_tensors_in_safetensors_are() throws IOException {
    try (Kvant kvant = Kvant.builder().format(new NpzFormat()).build()) {
      Path npz = folder.resolve("transformer.npz");
      try (QuantizableModel model = kvant.load(SAFETENSORS)) {
        writeNpz(model.tensors(), npz);
      }

      assertThat(quantized(kvant, npz)).isEqualTo(quantized(kvant, SAFETENSORS));
    }
  }

  /** The content of each tensor in what torchao makes of a model. */
  private Map<String, ByteBuffer> quantized(Kvant kvant, Path file) {
    ModelQuantizationConfig config =
        ModelQuantizationConfig.builder()
            .backend("torchao")
            .mode(QuantizationMode.WEIGHT_ONLY_PTQ)
            .moduleClass("*.linear?", "Linear")
            .moduleClass("head", "Linear")
            .layer("*.linear1", Dtype.INT8)
            .layer("head", Dtype.FP8_E4M3FN)
            .build();
    try (QuantizableModel model = kvant.load(file);
        ModelQuantizer quantizer = kvant.quantizer(config)) {
      SavedModel saved =
          quantizer.saveModel(
              quantizer.quantize(quantizer.prepare(model)), folder.resolve("of " + model.format()));
      assertThat(saved.report().modules()).anyMatch(module -> module.weights().isQuantized());
      try (QuantizableModel artifact = kvant.load(saved.artifacts().get(0).path())) {
        return contents(artifact.tensors());
      }
    }
  }

  private static Map<String, ByteBuffer> contents(Map<String, ? extends ModelTensor> tensors) {
    Map<String, ByteBuffer> contents = new TreeMap<>();
    tensors.forEach((name, tensor) -> contents.put(name, content(tensor)));
    return contents;
  }

  private static ByteBuffer content(ModelTensor tensor) {
    ByteBuffer content = ByteBuffer.allocate(Math.toIntExact(tensor.bytes()));
    tensor.read(0, content);
    return content.flip();
  }

  private static void writeNpz(Map<String, ? extends ModelTensor> tensors, Path file)
      throws IOException {
    try (var zip = new ZipOutputStream(Files.newOutputStream(file))) {
      for (Map.Entry<String, ? extends ModelTensor> entry : tensors.entrySet()) {
        ModelTensor tensor = entry.getValue();
        zip.putNextEntry(new ZipEntry(entry.getKey() + ".npy"));
        zip.write(
            header(
                tensor.elementType().equals(ElementType.FLOAT32) ? "<f4" : "<i8",
                tensor.shape().toString().replaceAll("[\\[\\]]", "")));
        zip.write(content(tensor).array());
      }
    }
  }

  private static byte[] header(String type, String shape) {
    byte[] text =
        "{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }"
            .formatted(type, shape)
            .getBytes(StandardCharsets.US_ASCII);
    return ByteBuffer.allocate(10 + text.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0})
        .putShort((short) text.length)
        .put(text)
        .array();
  }
}
