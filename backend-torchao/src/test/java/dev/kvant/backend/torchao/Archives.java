package dev.kvant.backend.torchao;

import dev.kvant.api.ElementType;
import dev.kvant.torch.archive.ArchiveRecord;
import dev.kvant.torch.archive.ArchiveWriter;
import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleNone;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleTuple;
import dev.kvant.torch.pickle.PickleWriter;
import dev.kvant.torch.tensor.TensorNode;
import dev.kvant.torch.tensor.TensorPickler;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiFunction;

/** Archives with other code than torch writes. */
final class Archives {

  private Archives() {}

  /**
   * A copy with a record of code beside the others that only libtorch could read, so that nobody
   * else knows whose weights it uses. libtorch does not read it, because no class lies in it.
   */
  static Path withUnreadableCode(Path source, Path folder) throws IOException {
    Path target = Files.createTempFile(folder, "unreadable", ".pt");
    try (TorchArchive archive = TorchArchive.open(source);
        var writer = ArchiveWriter.create(target, "copy")) {
      archive.records().forEach(writer::copy);
      writer.record(
          "code/__torch__/unreadable.py", "def f(x) ?\n".getBytes(StandardCharsets.UTF_8));
      writer.finish();
    }
    return target;
  }

  /**
   * A copy with changed code.
   *
   * @param change gives the new text for a record's name and text
   */
  static Path withCode(Path source, Path folder, BiFunction<String, String, String> change)
      throws IOException {
    Path target = Files.createTempFile(folder, "changed", ".pt");
    try (TorchArchive archive = TorchArchive.open(source);
        var writer = ArchiveWriter.create(target, "copy")) {
      for (ArchiveRecord record : archive.records()) {
        if (record.name().endsWith(".py")) {
          writer.record(
              record.name(),
              change.apply(record.name(), text(record)).getBytes(StandardCharsets.UTF_8));
        } else {
          writer.copy(record);
        }
      }
      writer.finish();
    }
    return target;
  }

  /** An archive of one Linear without a bias, called as its root is. */
  static Path linear(Path folder, float[] weight, int outputs, int inputs) throws IOException {
    return linears(folder, weight, outputs, inputs, false);
  }

  /** An archive whose root subtracts one Linear from another of the same class. */
  static Path twoLinears(Path folder, float[] weight, int outputs, int inputs) throws IOException {
    return linears(folder, weight, outputs, inputs, true);
  }

  private static PickleObject linear(String storage, int outputs, int inputs) {
    var linear = new PickleDict();
    linear.put(
        "weight",
        TensorPickler.forScript()
            .node(
                TensorNode.contiguous(
                    ElementType.FLOAT32, storage, List.of((long) outputs, (long) inputs))));
    linear.put("bias", PickleNone.NONE);
    return PickleObject.instance(new PickleGlobal("__torch__.m", "Linear"), linear);
  }

  private static Path linears(Path folder, float[] weight, int outputs, int inputs, boolean two)
      throws IOException {
    Path target = Files.createTempFile(folder, "linear", ".pt");
    ByteBuffer bytes =
        ByteBuffer.allocate(weight.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(weight);
    var root = new PickleDict();
    root.put("fc", linear("0", outputs, inputs));
    if (two) {
      root.put("other", linear("1", outputs, inputs));
    }
    try (var writer = ArchiveWriter.create(target, "linear")) {
      writer.record("data/0", bytes.array());
      if (two) {
        // The weights in opposite order.
        FloatBuffer reversed = bytes.asFloatBuffer();
        for (int i = 0; i < weight.length; i++) {
          reversed.put(i, weight[weight.length - 1 - i]);
        }
        writer.record("data/1", bytes.array());
      }
      writer.record(
          "data.pkl",
          PickleWriter.write(PickleObject.instance(new PickleGlobal("__torch__.m", "Root"), root)));
      writer.record(
          "code/__torch__/m.py",
          """
          class Linear(Module):
            __parameters__ = ["weight", "bias", ]
            __buffers__ = []
            weight : Tensor
            bias : NoneType
            def forward(self: __torch__.m.Linear,
              input: Tensor) -> Tensor:
              weight = self.weight
              bias = self.bias
              return torch.linear(input, weight, bias)
          class Root(Module):
            __parameters__ = []
            __buffers__ = []
            fc : __torch__.m.Linear
            %sdef forward(self: __torch__.m.Root,
              input: Tensor) -> Tensor:
              fc = self.fc
              return %s
          """
              .formatted(
                  two ? "other : __torch__.m.Linear\n  " : "",
                  two
                      ? "torch.sub((fc).forward(input, ), (self.other).forward(input, ))"
                      : "(fc).forward(input, )")
              .getBytes(StandardCharsets.UTF_8));
      writer.record("constants.pkl", PickleWriter.write(PickleTuple.of()));
      writer.record("version", "3\n".getBytes(StandardCharsets.UTF_8));
      writer.finish();
    }
    return target;
  }

  /** The text of a record. */
  static String text(ArchiveRecord record) {
    return new String(record.readAll(1 << 24), StandardCharsets.UTF_8);
  }
}
