package dev.kvant.backend.torchao;

import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleList;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleReader;
import dev.kvant.torch.pickle.PickleReference;
import dev.kvant.torch.pickle.PickleText;
import dev.kvant.torch.pickle.PickleTuple;
import dev.kvant.torch.pickle.PickleValue;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;

/** A checkpoint's pickle as text, with the bytes of storages in place of their names. */
final class PickleDescription {

  private final TorchArchive archive;
  private final StringBuilder text = new StringBuilder();

  private PickleDescription(TorchArchive archive) {
    this.archive = archive;
  }

  static String of(Path file) {
    try (TorchArchive archive = TorchArchive.open(file)) {
      var text = new PickleDescription(archive);
      PickleValue root =
          PickleReader.read(archive.record("data.pkl").readAll(1 << 20), file.toString());
      // What load_state_dict keeps beside the entries is no entry.
      ((PickleObject) root).setState(null);
      text.add(root, "\n");
      return text.text.toString();
    }
  }

  private void add(PickleValue value, String indent) {
    String inner = indent + " ";
    if (value instanceof PickleObject object) {
      text.append(object.construction()).append(' ');
      add(object.callable(), inner);
      text.append(inner);
      add(object.arguments(), inner);
      text.append(inner);
      add(object.entries(), inner);
      addAll(object.items().items(), inner);
      PickleValue state = object.state();
      if (state != null) {
        text.append(inner).append("state ");
        add(state, inner);
      }
    } else if (value instanceof PickleDict dict) {
      dict.entries()
          .forEach(
              (key, entry) -> {
                text.append(indent);
                add(key, inner);
                text.append(": ");
                add(entry, inner);
              });
    } else if (value instanceof PickleTuple tuple) {
      text.append("tuple");
      addAll(tuple.items(), inner);
    } else if (value instanceof PickleList list) {
      text.append("list");
      addAll(list.items(), inner);
    } else if (value instanceof PickleReference reference) {
      List<PickleValue> id = ((PickleTuple) reference.id()).items();
      String name = ((PickleText) id.get(2)).value();
      text.append("storage ")
          .append(id.stream().filter(part -> part != id.get(2)).collect(Collectors.toList()))
          .append(HexFormat.of().formatHex(archive.record("data/" + name).readAll(1 << 20)));
    } else {
      text.append(value);
    }
  }

  private void addAll(List<PickleValue> items, String indent) {
    for (PickleValue item : items) {
      text.append(indent);
      add(item, indent);
    }
  }
}
