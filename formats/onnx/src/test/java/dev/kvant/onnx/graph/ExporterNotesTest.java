package dev.kvant.onnx.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.onnx.proto.GraphProto;
import dev.kvant.onnx.proto.ModelProto;
import dev.kvant.onnx.proto.NodeProto;
import dev.kvant.onnx.proto.OperatorSetIdProto;
import dev.kvant.onnx.proto.StringStringEntryProto;
import dev.kvant.onnx.proto.ValueInfoProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExporterNotesTest {

  @TempDir private Path folder;

  private static StringStringEntryProto entry(String key) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue("value of " + key).build();
  }

  private static List<String> keys(List<StringStringEntryProto> entries) {
    return entries.stream().map(StringStringEntryProto::getKey).toList();
  }

  @Test
  void leaves_what_modules_are_named_by_and_what_others_noted() throws IOException {
    StringStringEntryProto trace = entry("pkg.torch.onnx.stack_trace");
    ValueInfoProto input = ValueInfoProto.newBuilder().setName("x").addMetadataProps(trace).build();
    ModelProto proto =
        ModelProto.newBuilder()
            .setIrVersion(10)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(20))
            .setGraph(
                GraphProto.newBuilder()
                    .setName("g")
                    .addInput(input)
                    .addOutput(input.toBuilder().setName("y"))
                    .addValueInfo(input.toBuilder().setName("z").addMetadataProps(entry("mine")))
                    .addMetadataProps(entry("pkg.torch.export.ExportedProgram.graph_signature"))
                    .addMetadataProps(entry("task"))
                    .addNode(
                        NodeProto.newBuilder()
                            .setOpType("Identity")
                            .addInput("x")
                            .addOutput("y")
                            .setDocString("model.py(12): forward")
                            .addMetadataProps(trace)
                            .addMetadataProps(entry("namespace"))
                            .addMetadataProps(entry("pkg.torch.onnx.fx_node"))
                            .addMetadataProps(entry("pkg.torch.onnx.name_scopes"))
                            .addMetadataProps(entry("pkg.torch.onnx.class_hierarchy"))
                            .addMetadataProps(entry("pkg.onnxscript.rewriter.rule_name"))
                            .addMetadataProps(entry("layer"))))
            .build();
    Path file = Files.write(folder.resolve("model.onnx"), proto.toByteArray());
    Path written = folder.resolve("written.onnx");
    try (OnnxFile opened = OnnxFile.open(file)) {
      OnnxModel model = opened.load();
      model.removeExporterNotes();
      OnnxWriter.write(model, written);
    }

    ModelProto after = ModelProto.parseFrom(Files.readAllBytes(written));
    GraphProto graph = after.getGraph();
    assertThat(keys(graph.getMetadataPropsList())).containsExactly("task");
    assertThat(keys(graph.getInput(0).getMetadataPropsList())).isEmpty();
    assertThat(keys(graph.getOutput(0).getMetadataPropsList())).isEmpty();
    assertThat(keys(graph.getValueInfo(0).getMetadataPropsList())).containsExactly("mine");
    assertThat(graph.getNode(0).getDocString()).isEmpty();
    assertThat(keys(graph.getNode(0).getMetadataPropsList()))
        .containsExactly("pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy", "layer");
  }
}
