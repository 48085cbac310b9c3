package dev.kvant.backend.compressedtensors;

import dev.kvant.api.Artifact;
import dev.kvant.api.KvantException;
import dev.kvant.kit.ArtifactStream;
import dev.kvant.kit.ByteProgress;
import dev.kvant.kit.OutputTensor;
import dev.kvant.kit.SafetensorsWriter;
import dev.kvant.spi.ArtifactTransaction;
import dev.kvant.spi.SourceState;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Writes a checkpoint: all of its files appear together, those in folders within it before them.
 */
final class OutputFolder {

  static final String MODEL = "model.safetensors";

  /** Readers of safetensors ask which framework wrote the file. */
  private static final Map<String, String> METADATA = Map.of("format", "pt");

  private final Path directory;
  private final SourceFolder source;

  OutputFolder(Path directory, SourceFolder source) {
    this.directory = directory;
    this.source = source;
  }

  /**
   * Checks that the folder can hold the checkpoint. It may have the files of an earlier run, if all
   * of those that readers look for are written again.
   *
   * @param shards the names of the files with tensors
   * @param documents the names of the files that describe them
   * @throws KvantException if it is the folder of the source, or has files of another checkpoint
   */
  void check(Set<String> shards, Set<String> documents) {
    if (!Files.isDirectory(directory)) {
      return;
    }
    try (Stream<Path> present = Files.list(directory)) {
      if (Files.isSameFile(directory, source.folder())) {
        throw new KvantException(
            "the checkpoint would replace the model in %s; save into another folder"
                .formatted(directory));
      }
      List<String> foreign =
          present
              .map(file -> file.getFileName().toString())
              .filter(name -> name.endsWith(".safetensors") || name.equals(SourceFolder.INDEX))
              .filter(name -> !shards.contains(name) && !documents.contains(name))
              .sorted()
              .toList();
      if (!foreign.isEmpty()) {
        throw new KvantException(
            "%s holds another checkpoint, which readers would mix with this one: %s; save into an empty folder"
                .formatted(directory, String.join(", ", foreign)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("%s cannot be looked at".formatted(directory), e);
    }
  }

  /**
   * Writes all files, and removes what an earlier run wrote about its layout if this one does not.
   *
   * @param shards the tensors of each file; of one file named {@link #MODEL}, without an index
   * @param documents further files, by their names
   * @param state what the files of the model were before the first was read
   */
  List<Artifact> write(
      Map<String, List<OutputTensor>> shards,
      Map<String, JsonText> documents,
      SourceState state,
      ByteProgress progress) {
    Map<Path, List<Path>> copies = new LinkedHashMap<>();
    for (Path file : source.others()) {
      if (!documents.containsKey(file.toString()) && !isWithin(file)) {
        Path parent = file.getParent();
        copies
            .computeIfAbsent(parent == null ? Path.of("") : parent, any -> new ArrayList<>())
            .add(file);
      }
    }
    List<ArtifactTransaction> transactions = new ArrayList<>();
    try {
      var main = ArtifactTransaction.begin(directory, state);
      transactions.add(main);
      shards.forEach(
          (name, tensors) ->
              SafetensorsWriter.write(main.create(name), tensors, METADATA, progress));
      documents.forEach((name, content) -> write(main.create(name), content));
      copies.forEach(
          (folder, files) -> {
            ArtifactTransaction transaction = main;
            if (!folder.toString().isEmpty()) {
              transaction = ArtifactTransaction.begin(directory.resolve(folder.toString()), state);
              transactions.add(transaction);
            }
            for (Path file : files) {
              copy(
                  source.folder().resolve(file), transaction.create(file.getFileName().toString()));
            }
          });
      progress.finish();
      for (int i = transactions.size() - 1; i >= 0; i--) {
        transactions.get(i).commit();
      }
      removeOtherLayout(documents.keySet());
    } finally {
      for (int i = transactions.size() - 1; i >= 0; i--) {
        transactions.get(i).close();
      }
    }
    List<Artifact> artifacts = artifacts(shards.keySet(), documents.keySet());
    copies.values().stream()
        .flatMap(List::stream)
        .map(file -> side(file.toString(), extension(file), "copied from the source"))
        .forEach(artifacts::add);
    return artifacts;
  }

  /** Readers would take the file of ModelOpt's layout for a description of this checkpoint. */
  private void removeOtherLayout(Set<String> documents) {
    Path file = directory.resolve(ModelOptSection.FILE);
    try {
      if (!documents.contains(ModelOptSection.FILE)) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new KvantException(
          "%s describes an earlier checkpoint and cannot be removed; remove it before using this one: %s"
              .formatted(file, e.getMessage()),
          e);
    }
  }

  /** Whether a file of the source is in the folder that is written, which may be within it. */
  private boolean isWithin(Path file) {
    return source
        .folder()
        .resolve(file)
        .normalize()
        .startsWith(directory.toAbsolutePath().normalize());
  }

  private static void write(Path file, JsonText content) {
    try (OutputStream out = new ArtifactStream(file)) {
      out.write(content.text().getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw ArtifactStream.unwritable(file, e);
    }
  }

  private static void copy(Path from, Path to) {
    try (OutputStream out = new ArtifactStream(to)) {
      Files.copy(from, out);
    } catch (IOException e) {
      throw new KvantException("%s cannot be copied: %s".formatted(from, e.getMessage()), e);
    }
  }

  private List<Artifact> artifacts(Set<String> shards, Set<String> documents) {
    List<Artifact> artifacts = new ArrayList<>();
    boolean isSharded = documents.contains(SourceFolder.INDEX);
    for (String shard : shards) {
      artifacts.add(
          isSharded
              ? side(shard, "tensors that the index refers to")
              : Artifact.of(
                  directory.resolve(shard),
                  "safetensors",
                  "a checkpoint for engines that read compressed-tensors, with its folder"));
    }
    for (String document : documents) {
      if (document.equals(SourceFolder.INDEX)) {
        artifacts.add(
            0,
            Artifact.of(
                directory.resolve(document),
                "safetensors",
                "a checkpoint for engines that read compressed-tensors, with its folder"));
      } else {
        artifacts.add(side(document, "how the checkpoint is quantized"));
      }
    }
    return artifacts;
  }

  private Artifact side(String name, String description) {
    return side(name, name.endsWith(".json") ? "json" : "safetensors", description);
  }

  private Artifact side(String name, String format, String description) {
    return Artifact.of(directory.resolve(name), Artifact.Role.SIDE_FILE, format, description);
  }

  /** Says what a file is that nothing here reads. */
  private static String extension(Path file) {
    String name = file.getFileName().toString();
    int dot = name.lastIndexOf('.');
    return dot < 0 ? "file" : name.substring(dot + 1);
  }
}
