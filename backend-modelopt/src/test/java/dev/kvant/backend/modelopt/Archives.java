package dev.kvant.backend.modelopt;

import dev.kvant.api.ElementType;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.ScriptRewriter;
import dev.kvant.torch.tensor.StoredTensor;
import dev.kvant.torch.tensor.TensorNode;
import dev.kvant.torch.tensor.TensorPickler;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.function.Consumer;

/** Archives that the tests change before they are read. */
final class Archives {

  private Archives() {}

  /** A copy of an archive with one element of a weight replaced. */
  static Path withWeight(Path archive, String module, int element, float value, Path copy) {
    return changed(
        archive,
        copy,
        rewriter -> {
          try (ScriptModel model = TestModels.script(archive)) {
            StoredTensor weight = model.tensor(module, "weight").orElseThrow();
            ByteBuffer bytes =
                ByteBuffer.allocate((int) weight.bytes()).order(ByteOrder.LITTLE_ENDIAN);
            weight.read(0, bytes);
            bytes.flip().putFloat(element * Float.BYTES, value);
            String storage =
                rewriter
                    .storages()
                    .add(weight.bytes(), channel -> channel.write(bytes.duplicate()));
            rewriter
                .tree()
                .module(module)
                .orElseThrow()
                .attributes()
                .put(
                    "weight",
                    TensorPickler.forScript()
                        .node(TensorNode.contiguous(ElementType.FLOAT32, storage, weight.shape())));
          }
        });
  }

  /** A copy of an archive with changes. */
  static Path changed(Path archive, Path copy, Consumer<ScriptRewriter> changes) {
    try (ScriptModel model = TestModels.script(archive)) {
      var rewriter = new ScriptRewriter(model);
      changes.accept(rewriter);
      rewriter.write(copy, "changed", (bytes, tensor) -> {});
    }
    return copy;
  }
}
