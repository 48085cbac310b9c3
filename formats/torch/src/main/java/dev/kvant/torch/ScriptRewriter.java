package dev.kvant.torch;

import dev.kvant.api.KvantException;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.Printable;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.torch.archive.ArchiveRecord;
import dev.kvant.torch.archive.ArchiveWriter;
import dev.kvant.torch.pickle.PickleWriter;
import dev.kvant.torch.script.ScriptCode;
import dev.kvant.torch.script.ScriptTree;
import dev.kvant.torch.script.ScriptType;
import dev.kvant.torch.tensor.CopyProgress;
import dev.kvant.torch.tensor.StorageRecords;
import dev.kvant.torch.tensor.StorageReferences;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Rewrites a TorchScript archive into another file: its module tree, its code and new storages, for
 * the caller to change. Everything else stays unchanged; storages without a reference are omitted.
 *
 * @since 0.1.0
 */
public final class ScriptRewriter {

  private static final String DATA = "data/";

  /** Records that describe the original code. */
  private static final Set<String> STALE =
      Set.of("bytecode.pkl", "mobile_debug_handles.pkl", ".data/serialization_id");

  private final ScriptModel model;
  private final ScriptTree tree;
  private final ScriptCode code;
  private final StorageRecords storages;
  private final Map<String, byte[]> added = new LinkedHashMap<>();

  /** A rewriter of a model, which stays unchanged and must stay open. */
  public ScriptRewriter(ScriptModel model) {
    this.model = model;
    this.tree = model.readTree();
    this.code = model.readCode();
    Set<String> data = new LinkedHashSet<>();
    for (ArchiveRecord record : model.archive().records()) {
      if (record.name().startsWith(DATA)) {
        data.add(record.name().substring(DATA.length()));
      }
    }
    this.storages = new StorageRecords(data);
  }

  /** The modules, to be changed. */
  public ScriptTree tree() {
    return tree;
  }

  /** The code, to be changed. */
  public ScriptCode code() {
    return code;
  }

  /**
   * The class of the root module, to be changed.
   *
   * @throws ModelFormatException if its code is not supported
   */
  public ScriptType rootType() {
    String name = tree.modules().get(0).type().name().qualifiedName();
    return code.type(name)
        .orElseThrow(
            () ->
                new ModelFormatException(
                    "%s cannot be changed, since the code of %s is not understood: %s; say the same by other means there, or save a trace of the model"
                        .formatted(
                            model.source(),
                            Printable.shortened(name),
                            Printable.shortened(String.join("; ", code.unreadable())))));
  }

  /** The storages of new tensors. */
  public StorageRecords storages() {
    return storages;
  }

  /**
   * Adds a record, unless the archive has one of that name.
   *
   * @param name its name without the root folder
   * @param content its content
   */
  public void addRecord(String name, byte[] content) {
    if (model.archive().find(name).isEmpty()) {
      added.put(name, content.clone());
    }
  }

  /**
   * Writes the archive with all changes.
   *
   * @param file the file, which is overwritten
   * @param root the folder within the archive, usually the file's name without its extension
   * @param record what Kvant puts into a record that PyTorch ignores; asked for when all else is
   *     written
   * @param progress receives every copied record
   * @throws QuantizationCancelledException if the thread was interrupted
   * @throws KvantException if the file cannot be written
   */
  public void write(Path file, String root, Supplier<byte[]> record, CopyProgress progress) {
    write(file, root, archive -> KvantRecord.write(record.get(), archive), progress);
  }

  /**
   * Writes the archive with all changes and without a record of Kvant.
   *
   * @param file the file, which is overwritten
   * @param root the folder within the archive, usually the file's name without its extension
   * @param progress receives every copied record
   * @throws QuantizationCancelledException if the thread was interrupted
   * @throws KvantException if the file cannot be written
   */
  public void write(Path file, String root, CopyProgress progress) {
    write(file, root, archive -> {}, progress);
  }

  private void write(
      Path file, String root, Consumer<ArchiveWriter> recordWriter, CopyProgress progress) {
    Map<String, String> changedTexts = code.changedTexts();
    Set<String> referenced = StorageReferences.of(tree.root());
    try (var archive = ArchiveWriter.create(file, root)) {
      for (ArchiveRecord record : model.archive().records()) {
        String name = record.name();
        String text = changedTexts.get(name);
        if (text != null) {
          archive.record(name, text.getBytes(StandardCharsets.UTF_8));
        } else if (name.equals(ScriptTree.RECORD)) {
          storages.write(archive);
          archive.record(name, PickleWriter.write(tree.root()));
        } else if (isKept(name, referenced)) {
          archive.copy(record);
          progress.advance(name.startsWith(DATA) ? record.size() : 0, name);
        }
      }
      added.forEach(archive::record);
      recordWriter.accept(archive);
      archive.finish();
    }
  }

  private static boolean isKept(String name, Set<String> referenced) {
    return name.startsWith(DATA)
        ? referenced.contains(name.substring(DATA.length()))
        : !name.endsWith(".debug_pkl") && !STALE.contains(name) && !name.equals(KvantRecord.NAME);
  }
}
