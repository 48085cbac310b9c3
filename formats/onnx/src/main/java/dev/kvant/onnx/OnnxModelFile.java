package dev.kvant.onnx;

import dev.kvant.api.InputDescription;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.onnx.graph.ConstantValues;
import dev.kvant.onnx.graph.DeclaredInputs;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.ModuleNames;
import dev.kvant.onnx.graph.OnnxFile;
import dev.kvant.onnx.graph.OnnxModel;
import dev.kvant.onnx.graph.OnnxModule;
import dev.kvant.onnx.graph.OnnxModules;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An ONNX file as a model to quantize.
 *
 * @since 0.1.0
 */
public final class OnnxModelFile implements QuantizableModel {

  /** The entry of a model's metadata that holds the record of Kvant's runtime. */
  public static final String RECORD_ENTRY = "kvant.record";

  private final OnnxFile file;
  private final List<ModuleDescription> modules;
  private final List<InputDescription> inputs;
  private final long tensorBytes;
  private final @Nullable String record;
  private final Optional<String> quantizedBy;
  private @Nullable Map<String, ModelTensor> tensors;

  private OnnxModelFile(OnnxFile file, OnnxModel model) {
    this.file = file;
    ModuleNames names = ModuleNames.of(model);
    this.modules =
        OnnxModules.of(model, names, new ConstantValues()).stream()
            .map(OnnxModule::description)
            .toList();
    this.inputs = DeclaredInputs.of(model);
    this.tensorBytes = tensorBytes(model);
    this.record = model.metadata().get(RECORD_ENTRY);
    this.quantizedBy = OnnxModules.quantizedBy(model, names);
  }

  public static OnnxModelFile open(Path path) {
    return of(OnnxFile.open(path));
  }

  /** Reads a file that is open, and closes the channel. */
  static OnnxModelFile open(Path path, FileChannel channel) {
    return of(OnnxFile.open(path, channel));
  }

  private static OnnxModelFile of(OnnxFile file) {
    try {
      return new OnnxModelFile(file, file.load());
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static long tensorBytes(OnnxModel model) {
    long bytes = 0;
    for (Graph graph : model.graph().all()) {
      for (Initializer constant : graph.ownConstants()) {
        bytes += constant.tensor().map(tensor -> tensor.content().bytes()).orElse(0L);
      }
    }
    return bytes;
  }

  /** A copy of the graph to change. */
  public OnnxModel load() {
    return file.load();
  }

  /** The files beside it that hold its large tensors. */
  public Set<Path> externalFiles() {
    return file.externalFiles();
  }

  @Override
  public Path source() {
    return file.path();
  }

  @Override
  public List<Path> files() {
    List<Path> files = new ArrayList<>(List.of(file.path()));
    files.addAll(file.externalFiles());
    return files;
  }

  @Override
  public String format() {
    return OnnxFormat.ID;
  }

  @Override
  public List<ModuleDescription> modules() {
    return modules;
  }

  @Override
  public synchronized Map<String, ModelTensor> tensors() {
    Map<String, ModelTensor> found = tensors;
    if (found == null) {
      found = Collections.unmodifiableMap(OnnxModules.tensors(load()));
      tensors = found;
    }
    return found;
  }

  @Override
  public List<InputDescription> inputs() {
    return inputs;
  }

  @Override
  public long tensorBytes() {
    return tensorBytes;
  }

  @Override
  public Optional<byte[]> record() {
    return Optional.ofNullable(record).map(text -> text.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public OptionalLong recordOffset() {
    return record == null ? OptionalLong.empty() : file.metadataOffset(RECORD_ENTRY);
  }

  @Override
  public Optional<String> quantizedBy() {
    return quantizedBy;
  }

  @Override
  public void close() {
    file.close();
  }
}
