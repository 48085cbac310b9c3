package dev.kvant.backend.gguf;

import dev.kvant.api.ElementType;
import dev.kvant.api.QuantizationListener;
import dev.kvant.gguf.GgufEntry;
import dev.kvant.gguf.GgufFormat;
import dev.kvant.gguf.GgufWriter;
import dev.kvant.kit.ByteProgress;
import dev.kvant.kit.OutputTensor;
import dev.kvant.numerics.FloatType;
import dev.kvant.tck.SampleModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Makes small GGUF files with random numbers that are the same in every run. */
final class Samples {

  private static final Path FOLDER = Path.of("target", "kvant-samples");

  private final String name;
  private final Random random;
  private final List<GgufEntry> metadata = new ArrayList<>();
  private final List<OutputTensor> tensors = new ArrayList<>();

  private Samples(String name) {
    this.name = name;
    this.random = new Random(name.hashCode());
  }

  static Samples named(String name) {
    return new Samples(name);
  }

  /** A layer, an embedding, a norm, and what llama.cpp never quantizes. */
  static Samples decoder(String name, ElementType type) {
    return named(name)
        .entry("test.first", 1)
        .entry("general.file_type", 1)
        .entry("test.last", 3)
        .tensor("token_embd.weight", type, 10, 256)
        .tensor("position_embd.weight", type, 10, 256)
        .tensor("blk.0.attn_norm.weight", ElementType.FLOAT32, 256)
        .tensor("blk.0.attn_q.weight", type, 130, 256)
        .tensor("blk.0.attn_q.bias", ElementType.FLOAT32, 130)
        .tensor("blk.0.ffn_gate_inp.weight", type, 4, 256)
        .tensor("blk.0.ffn_gate_exps.weight", type, 4, 8, 256)
        .tensor("blk.0.ffn_down.weight", type, 16, 96)
        .tensor("blk.0.ffn_up.weight", type, 16, 40);
  }

  Samples entry(String key, int value) {
    metadata.add(GgufEntry.of(key, value));
    return this;
  }

  Samples tensor(String tensor, ElementType type, long... shape) {
    var values = new float[Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact))];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return tensor(tensor, type, shape, values);
  }

  Samples tensor(String tensor, ElementType type, long[] shape, float... values) {
    FloatType floats = FloatType.find(type.label()).orElseThrow();
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * floats.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    floats.store(values, values.length, bytes, 0);
    tensors.add(
        new OutputTensor(
            tensor,
            type,
            Arrays.stream(shape).boxed().toList(),
            (out, progress) -> out.write(bytes.array())));
    return this;
  }

  Path write() {
    try {
      Path file = Files.createDirectories(FOLDER).resolve(name + ".gguf");
      GgufWriter.write(
          file, metadata, tensors, new ByteProgress(QuantizationListener.NONE, name, 0));
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  SampleModel opened() {
    return new SampleModel(name, write(), new GgufFormat());
  }
}
