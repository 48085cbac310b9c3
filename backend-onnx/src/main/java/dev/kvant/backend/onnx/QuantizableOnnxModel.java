package dev.kvant.backend.onnx;

import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.backend.onnx.graph.Graph;
import dev.kvant.backend.onnx.graph.Initializer;
import dev.kvant.backend.onnx.graph.OnnxFile;
import dev.kvant.backend.onnx.graph.OnnxModel;
import dev.kvant.backend.onnx.graph.OnnxModule;
import dev.kvant.backend.onnx.graph.OnnxModules;
import java.nio.file.Path;
import java.util.List;

/** An ONNX file as a model to quantize. */
final class QuantizableOnnxModel implements QuantizableModel {

  private final OnnxFile file;
  private final List<ModuleDescription> modules;
  private final long tensorBytes;

  private QuantizableOnnxModel(OnnxFile file, List<ModuleDescription> modules, long tensorBytes) {
    this.file = file;
    this.modules = modules;
    this.tensorBytes = tensorBytes;
  }

  static QuantizableOnnxModel open(Path path) {
    OnnxFile file = OnnxFile.open(path);
    try {
      OnnxModel model = file.load();
      return new QuantizableOnnxModel(
          file,
          OnnxModules.of(model).stream().map(OnnxModule::description).toList(),
          tensorBytes(model));
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
  OnnxModel load() {
    return file.load();
  }

  @Override
  public Path source() {
    return file.path();
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
  public long tensorBytes() {
    return tensorBytes;
  }

  @Override
  public void close() {
    file.close();
  }
}
