package dev.kvant.torch;

import dev.kvant.api.ModelFormatException;
import dev.kvant.api.Printable;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.spi.ModelFile;
import dev.kvant.spi.ModelFormat;
import dev.kvant.spi.RecognizedModel;
import dev.kvant.spi.RegularFile;
import dev.kvant.torch.archive.ArchiveRecord;
import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.safetensors.SafetensorsFile;
import dev.kvant.torch.safetensors.SafetensorsIndex;
import dev.kvant.torch.tensor.DenseTensor;
import dev.kvant.torch.tensor.LegacyCheckpoint;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Opens files of PyTorch and safetensors: TorchScript archives, torch.export programs, checkpoints,
 * safetensors files, and folders and indices of those. It recognizes them by their content, never
 * by their name.
 *
 * @since 0.1.0
 */
public final class TorchFormat implements ModelFormat {

  private static final String SINGLE_FILE = "model.safetensors";

  /** For {@link java.util.ServiceLoader}; does nothing. */
  public TorchFormat() {}

  @Override
  public List<String> ids() {
    return List.of(
        ScriptModel.FORMAT,
        ExportedModel.FORMAT,
        StateDictModel.PYTORCH,
        StateDictModel.SAFETENSORS);
  }

  @Override
  public boolean recognizes(Path path) throws IOException {
    Optional<RecognizedModel> recognized = probe(path);
    recognized.ifPresent(RecognizedModel::close);
    return recognized.isPresent();
  }

  @Override
  public Optional<RecognizedModel> probe(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      try (Stream<Path> files = Files.list(path)) {
        return files.anyMatch(file -> file.getFileName().toString().contains(".safetensors"))
            ? Optional.of(() -> open(path))
            : Optional.empty();
      }
    }
    ModelFile file = ModelFile.open(path);
    try {
      return switch (FileKind.of(file)) {
        case ZIP -> probeZip(file);
        case LEGACY_CHECKPOINT, PICKLE, SAFETENSORS, SAFETENSORS_INDEX ->
            Optional.of(new OpenedFile(() -> openFile(file), file::close));
        case OTHER -> {
          file.close();
          yield Optional.empty();
        }
      };
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** A zip that cannot be read counts as a damaged archive of PyTorch. */
  private static Optional<RecognizedModel> probeZip(ModelFile file) {
    TorchArchive archive;
    try {
      archive = TorchArchive.open(file);
    } catch (ModelFormatException damage) {
      return Optional.of(
          () -> {
            throw damage;
          });
    }
    if (archive.find("data.pkl").isPresent()
        || ExportedModel.isIn(archive)
        || isOldScript(archive)) {
      return Optional.of(new OpenedFile(() -> openArchive(archive), archive::close));
    }
    archive.close();
    return Optional.empty();
  }

  /** What recognition has opened; the model takes it over. */
  private static final class OpenedFile implements RecognizedModel {

    private final Supplier<TorchModel> opening;
    private final Runnable closing;
    private boolean taken;

    OpenedFile(Supplier<TorchModel> opening, Runnable closing) {
      this.opening = opening;
      this.closing = closing;
    }

    @Override
    public TorchModel open() {
      taken = true;
      return opening.get();
    }

    @Override
    public void close() {
      if (!taken) {
        closing.run();
      }
    }
  }

  @Override
  public TorchModel open(Path path) {
    try {
      if (!Files.exists(path)) {
        throw new ModelFormatException("%s does not exist".formatted(path));
      }
      if (Files.isDirectory(path)) {
        return openFolder(path);
      }
      RegularFile.check(path);
      if (Files.size(path) == 0) {
        throw new ModelFormatException("%s is empty; copy or download it again".formatted(path));
      }
      return openFile(ModelFile.open(path));
    } catch (ClosedByInterruptException e) {
      throw new QuantizationCancelledException("opening %s was interrupted".formatted(path), e);
    } catch (IOException e) {
      throw new ModelFormatException("%s cannot be read: %s".formatted(path, e), e);
    }
  }

  /** What is opened from a file closes it. */
  private static TorchModel openFile(ModelFile file) {
    Path path = file.path();
    try {
      return switch (FileKind.of(file)) {
        case ZIP -> openArchive(TorchArchive.open(file));
        case SAFETENSORS -> openSafetensors(path, List.of(path), each -> file, Optional.empty());
        case SAFETENSORS_INDEX -> {
          file.close();
          yield openIndex(path, path);
        }
        case LEGACY_CHECKPOINT -> openLegacy(LegacyCheckpoint.open(file), path);
        case PICKLE ->
            throw new ModelFormatException(
                "%s is a pickle without an archive around it, which was not executed; save model.state_dict() with torch.save"
                    .formatted(path));
        case OTHER ->
            throw new ModelFormatException(
                "%s is not a TorchScript archive, a PyTorch checkpoint or a safetensors file"
                    .formatted(path));
      };
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static TorchModel openFolder(Path folder) {
    Path index = folder.resolve(SafetensorsIndex.FILE_NAME);
    if (Files.exists(index)) {
      return openIndex(folder, index);
    }
    Path single = folder.resolve(SINGLE_FILE);
    if (Files.exists(single)) {
      return openSafetensors(folder, List.of(single), ModelFile::open, Optional.empty());
    }
    throw new ModelFormatException(
        "%s is a folder with neither %s nor %s; name the model's file instead"
            .formatted(folder, SafetensorsIndex.FILE_NAME, SINGLE_FILE));
  }

  private static TorchModel openIndex(Path source, Path path) {
    SafetensorsIndex index = SafetensorsIndex.read(path);
    return openSafetensors(source, index.shards(), ModelFile::open, Optional.of(index));
  }

  private static TorchModel openSafetensors(
      Path source,
      List<Path> files,
      Function<Path, ModelFile> opening,
      Optional<SafetensorsIndex> index) {
    Map<String, DenseTensor> tensors = new LinkedHashMap<>();
    List<String> opaque = new ArrayList<>();
    List<Runnable> closing = new ArrayList<>();
    try {
      for (Path path : files) {
        SafetensorsFile file = SafetensorsFile.open(opening.apply(path));
        closing.add(file::close);
        Predicate<String> wanted = name -> index.isEmpty() || index.get().places(name, path);
        file.opaque().stream().filter(wanted).forEach(opaque::add);
        file.tensors().entrySet().stream()
            .filter(entry -> wanted.test(entry.getKey()))
            .forEach(entry -> tensors.put(entry.getKey(), entry.getValue()));
      }
      Set<String> found = new HashSet<>(tensors.keySet());
      found.addAll(opaque);
      index.ifPresent(known -> known.check(found));
      if (tensors.isEmpty()) {
        throw new ModelFormatException("%s has no tensors of a supported type".formatted(source));
      }
      return new StateDictModel(
          source,
          StateDictModel.SAFETENSORS,
          tensors,
          opaque,
          Optional.empty(),
          KvantRecord.NONE,
          closing);
    } catch (RuntimeException e) {
      closing.forEach(Runnable::run);
      throw e;
    }
  }

  private static TorchModel openArchive(TorchArchive archive) {
    Path path = archive.path();
    try {
      checkByteOrder(archive);
      if (ExportedModel.isIn(archive)) {
        return ExportedModel.of(archive);
      }
      if (isOldScript(archive)) {
        throw new ModelFormatException(
            "%s is TorchScript as torch wrote it before version 1.4; load it and save it again with torch.jit.save of a newer version"
                .formatted(path));
      }
      if (archive.find("data.pkl").isEmpty()) {
        throw new ModelFormatException(
            "%s is a zip, but not a model of PyTorch: it contains %s, but no data.pkl"
                .formatted(
                    path,
                    Printable.shortened(
                        archive.records().stream()
                            .limit(3)
                            .map(ArchiveRecord::name)
                            .collect(Collectors.joining(", ")))));
      }
      // As torch.load distinguishes them.
      if (archive.find("constants.pkl").isPresent()) {
        return ScriptModel.of(archive);
      }
      CheckpointContent content = CheckpointContent.read(archive);
      return new StateDictModel(
          path,
          StateDictModel.PYTORCH,
          content.tensors(),
          content.opaque(),
          content.quantizedBy(),
          KvantRecord.of(archive),
          List.of(archive::close));
    } catch (RuntimeException e) {
      archive.close();
      throw e;
    }
  }

  private static TorchModel openLegacy(LegacyCheckpoint checkpoint, Path path) {
    try {
      CheckpointContent content = CheckpointContent.read(checkpoint, path);
      return new StateDictModel(
          path,
          StateDictModel.PYTORCH,
          content.tensors(),
          content.opaque(),
          content.quantizedBy(),
          KvantRecord.NONE,
          List.of(checkpoint::close));
    } catch (RuntimeException e) {
      checkpoint.close();
      throw e;
    }
  }

  private static void checkByteOrder(TorchArchive archive) {
    Optional<ArchiveRecord> record = archive.find("byteorder");
    if (record.isPresent()) {
      String order = new String(record.get().readAll(64), StandardCharsets.US_ASCII).strip();
      if (!order.equals("little")) {
        throw new ModelFormatException(
            "%s has byte order '%s', but Kvant reads little-endian files only; save it again on a little-endian machine"
                .formatted(archive.path(), Printable.shortened(order)));
      }
    }
  }

  private static boolean isOldScript(TorchArchive archive) {
    return archive.find("model.json").isPresent();
  }
}
