package dev.kvant.onnx.graph;

import dev.kvant.onnx.proto.StringStringEntryProto;
import java.util.List;
import java.util.Set;

/**
 * What exporters of PyTorch note about nodes and values for those who debug an export: stack
 * traces, the traced graph, the exported program's signature. It says nothing about a graph that
 * was rewritten, and in a small model it is larger than the quantized weights.
 */
final class ExporterNotes {

  private static final List<String> PREFIXES =
      List.of("pkg.torch.onnx.", "pkg.torch.export.", "pkg.onnxscript.");

  private static final Set<String> NAMES = Set.of("namespace");

  /** What modules are named by. */
  private static final Set<String> KEPT =
      Set.of(NodeNames.NAME_SCOPES, OnnxModules.CLASS_HIERARCHY);

  private ExporterNotes() {}

  /** The entries without such notes, in their order. */
  static List<StringStringEntryProto> without(List<StringStringEntryProto> entries) {
    return entries.stream().filter(entry -> !isNote(entry.getKey())).toList();
  }

  private static boolean isNote(String key) {
    return NAMES.contains(key)
        || (!KEPT.contains(key) && PREFIXES.stream().anyMatch(key::startsWith));
  }
}
