package dev.kvant.backend.torchao;

import dev.kvant.tck.StoredValues;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleReference;
import dev.kvant.torch.pickle.PickleText;
import dev.kvant.torch.pickle.PickleTuple;
import dev.kvant.torch.tensor.ArchiveTensors;
import dev.kvant.torch.tensor.StoredTensor;
import java.nio.DoubleBuffer;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/** The packed weight of a module in an archive. */
final class PackedWeights {

  private final byte[] codes;
  private final double[] scales;

  private PackedWeights(byte[] codes, double[] scales) {
    this.codes = codes;
    this.scales = scales;
  }

  byte[] codes() {
    return codes.clone();
  }

  /** That of a module; empty if it has none. */
  static Optional<PackedWeights> find(Path archive, String module) {
    try (var model = (ScriptModel) TestModels.open(archive)) {
      return find(model, module);
    }
  }

  static Optional<PackedWeights> find(ScriptModel model, String module) {
    return model
        .readTree()
        .module(module)
        .orElseThrow()
        .attributes()
        .get("packed_weight")
        .filter(PickleObject.class::isInstance)
        .map(packed -> of(model, (PickleObject) packed));
  }

  /** Of {@code _rebuild_qtensor(storage, offset, shape, stride, quantizer, …)}. */
  private static PackedWeights of(ScriptModel model, PickleObject packed) {
    var weight = (PickleObject) ((PickleTuple) Objects.requireNonNull(packed.state())).get(0);
    var storage = (PickleTuple) ((PickleReference) weight.arguments().get(0)).id();
    var quantizer = (PickleTuple) weight.arguments().get(4);
    StoredTensor scales =
        new ArchiveTensors(model.archive()).find("scales", quantizer.get(1)).orElseThrow();
    DoubleBuffer ofRows = StoredValues.bytes(scales).asDoubleBuffer();
    double[] values = new double[ofRows.remaining()];
    ofRows.get(values);
    return new PackedWeights(
        model.archive().record("data/" + ((PickleText) storage.get(2)).value()).readAll(1 << 20),
        values);
  }

  float[] restored() {
    float[] values = new float[codes.length];
    int columns = codes.length / scales.length;
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (codes[i] * scales[i / columns]);
    }
    return values;
  }
}
