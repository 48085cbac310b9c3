package dev.kvant.torch;

import dev.kvant.api.ModelFormatException;
import dev.kvant.api.Printable;
import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleText;
import dev.kvant.torch.pickle.PickleValue;
import dev.kvant.torch.tensor.ArchiveTensors;
import dev.kvant.torch.tensor.LegacyCheckpoint;
import dev.kvant.torch.tensor.StoredTensor;
import dev.kvant.torch.tensor.TensorNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The state dict of a checkpoint's pickle: the dict itself, or an entry of it under a name that
 * training frameworks use.
 *
 * @param tensors the state dict's tensors
 * @param opaque the names of its other entries
 * @param quantizedBy the tool that made tensors of its own of weights, if any did
 */
record CheckpointContent(
    Map<String, StoredTensor> tensors, List<String> opaque, Optional<String> quantizedBy) {

  /** The names under which frameworks nest a state dict, the most likely first. */
  private static final List<String> KEYS =
      List.of("state_dict", "model_state_dict", "model", "module");

  /** A state dict in a checkpoint in a checkpoint is the deepest nesting in use. */
  private static final int MAX_DEPTH = 3;

  static CheckpointContent read(TorchArchive archive) {
    return read(archive.path(), archive.pickle("data.pkl"), new ArchiveTensors(archive));
  }

  static CheckpointContent read(LegacyCheckpoint checkpoint, Path path) {
    return read(path, checkpoint.root(), checkpoint.tensors());
  }

  private static CheckpointContent read(Path path, PickleValue root, ArchiveTensors found) {
    PickleDict dict = entries(root).orElseThrow(() -> noStateDict(path, root));
    PickleDict chosen = choose(dict, MAX_DEPTH);
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    List<String> opaque = new ArrayList<>();
    List<String> quantizedBy = new ArrayList<>();
    chosen
        .entries()
        .forEach(
            (key, value) -> {
              if (key instanceof PickleText name) {
                QuantizedElsewhere.by(name.value(), value).ifPresent(quantizedBy::add);
                found
                    .find(name.value(), value)
                    .ifPresentOrElse(
                        tensor -> tensors.put(name.value(), tensor),
                        () -> opaque.add(name.value()));
              }
            });
    if (tensors.isEmpty() && quantizedBy.isEmpty()) {
      throw withoutTensors(path, dict);
    }
    return new CheckpointContent(tensors, opaque, quantizedBy.stream().findFirst());
  }

  /** The entries of a dict or an {@code OrderedDict}. */
  private static Optional<PickleDict> entries(PickleValue value) {
    if (value instanceof PickleDict dict) {
      return Optional.of(dict);
    }
    return value instanceof PickleObject object && object.isCallOf("collections", "OrderedDict")
        ? Optional.of(object.entries())
        : Optional.empty();
  }

  /** The dict with the most tensors; of several equal ones, the most likely. */
  private static PickleDict choose(PickleDict dict, int depth) {
    PickleDict best = dict;
    long most = 0;
    for (String key : KEYS) {
      Optional<PickleDict> nested = dict.get(key).flatMap(CheckpointContent::entries);
      if (nested.isPresent() && depth > 0) {
        PickleDict candidate = choose(nested.get(), depth - 1);
        if (tensors(candidate) > most) {
          best = candidate;
          most = tensors(candidate);
        }
      }
    }
    return tensors(dict) > most ? dict : best;
  }

  private static long tensors(PickleDict dict) {
    return dict.entries().entrySet().stream()
        .filter(
            entry -> entry.getKey() instanceof PickleText && TensorNode.isTensor(entry.getValue()))
        .count();
  }

  private static ModelFormatException noStateDict(Path path, PickleValue root) {
    String what;
    if (TensorNode.isTensor(root)) {
      what = "a single tensor";
    } else if (root instanceof PickleObject object
        && object.callable() instanceof PickleGlobal callable) {
      what =
          (object.construction() == PickleObject.Construction.CALL
                  ? "a call of %s, which was not executed"
                  : "a pickled object of class %s")
              .formatted(callable.qualifiedName());
    } else {
      what = "something else";
    }
    return new ModelFormatException(
        "%s contains %s instead of a state dict; save model.state_dict() with torch.save, or the model with torch.jit.save"
            .formatted(path, Printable.shortened(what)));
  }

  private static ModelFormatException withoutTensors(Path path, PickleDict dict) {
    List<String> elsewhere = new ArrayList<>();
    dict.entries()
        .forEach(
            (key, value) -> {
              long tensors = entries(value).map(CheckpointContent::tensors).orElse(0L);
              if (key instanceof PickleText name && tensors > 0) {
                elsewhere.add("'%s' (%d tensors)".formatted(name.value(), tensors));
              }
            });
    return new ModelFormatException(
        "%s has no tensors, neither as its entries nor under %s%s"
            .formatted(
                path,
                KEYS,
                elsewhere.isEmpty()
                    ? "; save model.state_dict() with torch.save"
                    : "; there are tensors under %s: save that entry alone"
                        .formatted(Printable.shortened(String.join(", ", elsewhere)))));
  }
}
