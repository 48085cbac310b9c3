package dev.kvant.torch;

import com.google.gson.JsonObject;
import dev.kvant.api.InputDescription;
import dev.kvant.api.ModelFormatException;
import dev.kvant.api.Printable;
import dev.kvant.torch.archive.ArchiveRecord;
import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.tensor.StoredTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A torch.export program, the {@code .pt2} of {@code torch.export.save}: a graph of operators and
 * the state dict of the model that it was made from. Nothing of it is executed.
 *
 * <p>The nodes of the graph name the modules that they come from, with their classes. The class of
 * a module that runs no node itself is inferred from names and shapes.
 *
 * @since 0.1.0
 */
public final class ExportedModel extends DescribedModel {

  /** The id of the format. */
  public static final String FORMAT = "pt2";

  private static final String PROGRAMS = "models/";
  private static final String JSON = ".json";

  /** What torch wrote before version 2.8. */
  private static final Set<String> OLD =
      Set.of("serialized_exported_program.json", "serialized_state_dict.pt");

  private final TorchArchive archive;
  private final String program;
  private final List<InputDescription> inputs;
  private final Optional<String> torchVersion;
  private final Optional<String> quantizedBy;

  private ExportedModel(
      TorchArchive archive,
      String program,
      ExportedGraph graph,
      Map<String, StoredTensor> stateDict,
      List<String> opaque) {
    super(
        archive.path(),
        FORMAT,
        ModuleInference.modules(archive.path(), stateDict, ModelConfig.NONE, graph::type),
        stateDict,
        opaque);
    this.archive = archive;
    this.program = program;
    this.inputs = graph.inputs();
    this.torchVersion = graph.torchVersion();
    this.quantizedBy = QuantizedElsewhere.by(stateDict, opaque, ModelConfig.NONE);
  }

  /** Whether an archive is a package of torch.export. */
  static boolean isIn(TorchArchive archive) {
    return archive.find("archive_format").isPresent()
        || archive.records().stream()
            .map(ArchiveRecord::name)
            .anyMatch(name -> isProgram(name) || OLD.contains(name));
  }

  private static boolean isProgram(String record) {
    return record.startsWith(PROGRAMS) && record.endsWith(JSON);
  }

  /** The model owns the archive and closes it. */
  static ExportedModel of(TorchArchive archive) {
    String program = program(archive);
    ArchiveRecord record = archive.record(record(program));
    JsonObject root = ExportedJson.read(record);
    ExportedGraph graph = ExportedGraph.of(root, new ExportedJson(record.toString()));
    ExportedTensors weights = ExportedTensors.read(archive, program);
    if (weights.tensors().isEmpty() && weights.opaque().isEmpty()) {
      throw new ModelFormatException(
          "%s is a torch.export program without weights; there is nothing to quantize"
              .formatted(archive.path()));
    }
    return new ExportedModel(
        archive,
        program,
        graph,
        weights.restored(archive.path(), graph.restored()),
        weights.opaque());
  }

  private static String program(TorchArchive archive) {
    Path path = archive.path();
    List<String> names = new ArrayList<>();
    for (ArchiveRecord record : archive.records()) {
      String name = record.name();
      if (OLD.contains(name)) {
        throw new ModelFormatException(
            "%s is a torch.export program as torch wrote it before version 2.8; load it with torch.export.load and save it again with torch.export.save of a newer version, or save its state_dict with torch.save"
                .formatted(path));
      }
      if (name.startsWith("data/aotinductor/")) {
        throw new ModelFormatException(
            "%s contains code that AOTInductor has compiled, with weights that Kvant cannot change; save the program itself with torch.export.save, and compile the result"
                .formatted(path));
      }
      if (isProgram(name)) {
        names.add(name.substring(PROGRAMS.length(), name.length() - JSON.length()));
      }
    }
    if (names.size() != 1) {
      throw new ModelFormatException(
          "%s is a package of torch.export with %d programs%s, and Kvant reads packages of one; save one program with torch.export.save"
              .formatted(
                  path,
                  names.size(),
                  names.isEmpty()
                      ? ""
                      : " (%s)".formatted(Printable.shortened(String.join(", ", names)))));
    }
    String program = names.get(0);
    if (archive.find(ExportedTensors.WEIGHTS + program + ".pt").isPresent()) {
      throw new ModelFormatException(
          "%s is a torch.export program whose weights are one pickle, as torch 2.8 wrote them; load it with torch.export.load and save it again with torch.export.save of a newer version"
              .formatted(path));
    }
    return program;
  }

  /** The record with the graph of a program. */
  static String record(String program) {
    return PROGRAMS + program + JSON;
  }

  /** The tensors that a caller passes, with the sizes that the program was exported for. */
  @Override
  public List<InputDescription> inputs() {
    return inputs;
  }

  @Override
  public Optional<byte[]> record() {
    return KvantRecord.of(archive).content();
  }

  @Override
  public OptionalLong recordOffset() {
    return KvantRecord.of(archive).offset();
  }

  @Override
  public Optional<String> quantizedBy() {
    return quantizedBy;
  }

  /** The version of torch that saved it, as in {@code 2.15}; empty if it does not tell. */
  public Optional<String> torchVersion() {
    return torchVersion;
  }

  /** The archive, for copying its records. */
  public TorchArchive archive() {
    return archive;
  }

  /** The name of the program in its package, as in {@code model}. */
  String program() {
    return program;
  }

  @Override
  public void close() {
    archive.close();
  }
}
