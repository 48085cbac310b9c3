package dev.kvant.backend.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kvant.onnx.graph.DataType;
import dev.kvant.onnx.graph.Graph;
import dev.kvant.onnx.graph.Initializer;
import dev.kvant.onnx.graph.Node;
import dev.kvant.onnx.graph.OnnxFile;
import dev.kvant.onnx.graph.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * Adds uint8 codes times int8 codes as x86-64 processors without VNNI do: {@code vpmaddubsw} adds
 * two products with saturation to int16, {@code vpmaddwd} adds these sums in int32.
 */
final class SaturatingKernel {

  private SaturatingKernel() {}

  static int sum(int[] activations, byte[] weights) {
    int sum = 0;
    for (int i = 0; i < weights.length; i += 2) {
      int pair = activations[i] * weights[i];
      if (i + 1 < weights.length) {
        pair += activations[i + 1] * weights[i + 1];
      }
      sum += Math.max(Short.MIN_VALUE, Math.min(Short.MAX_VALUE, pair));
    }
    return sum;
  }

  static int exactSum(int[] activations, byte[] weights) {
    int sum = 0;
    for (int i = 0; i < weights.length; i++) {
      sum += activations[i] * weights[i];
    }
    return sum;
  }

  /** The modules of an artifact with sums that are not exact for some activations. */
  static List<String> inexact(Path artifact) {
    Random random = new Random(1);
    List<String> inexact = new ArrayList<>();
    columns(artifact)
        .forEach(
            (module, columns) -> {
              boolean isExact =
                  columns.stream()
                      .allMatch(
                          weights ->
                              activations(weights, random).stream()
                                  .allMatch(each -> sum(each, weights) == exactSum(each, weights)));
              if (!isExact) {
                inexact.add(module);
              }
            });
    return inexact;
  }

  /** Random codes, the largest ones, and those with the largest sums of either sign. */
  private static List<int[]> activations(byte[] weights, Random random) {
    int[] any = new int[weights.length];
    int[] largest = new int[weights.length];
    int[] positive = new int[weights.length];
    int[] negative = new int[weights.length];
    for (int i = 0; i < weights.length; i++) {
      any[i] = random.nextInt(256);
      largest[i] = 255;
      positive[i] = weights[i] > 0 ? 255 : 0;
      negative[i] = weights[i] < 0 ? 255 : 0;
    }
    return List.of(any, largest, positive, negative);
  }

  /** The codes that an artifact multiplies with those of activations, as its kernels read them. */
  static Map<String, List<byte[]>> columns(Path artifact) {
    Map<String, List<byte[]>> found = new LinkedHashMap<>();
    try (OnnxFile file = OnnxFile.open(artifact)) {
      Graph graph = file.load().graph();
      for (Node node : graph.nodes()) {
        switch (node.opType()) {
          case "MatMulInteger" -> found.put(node.name(), columns(graph, node, node.input(1)));
          case "MatMul", "Gemm", "Conv" -> {
            Optional<String> codes = codes(graph, node.input(1));
            if (codes.isPresent() && codes(graph, node.input(0)).isPresent()) {
              found.put(node.name(), columns(graph, node, codes.get()));
            }
          }
          default -> {}
        }
      }
    }
    assertThat(found).isNotEmpty();
    return found;
  }

  /** What a DequantizeLinear reads that writes a value. */
  private static Optional<String> codes(Graph graph, String value) {
    return Optional.ofNullable(graph.producer(value))
        .filter(node -> node.is("DequantizeLinear"))
        .map(node -> node.input(0));
  }

  private static List<byte[]> columns(Graph graph, Node node, String name) {
    Node moved = graph.producer(name);
    boolean isTransposed =
        node.intAttribute("transB", 0) == 1 || (moved != null && moved.is("Transpose"));
    StoredTensor tensor =
        graph
            .constant(moved == null ? name : moved.input(0))
            .flatMap(Initializer::tensor)
            .orElseThrow();
    assertThat(tensor.type()).isEqualTo(DataType.INT8);
    List<Long> dims = tensor.dims();
    ByteBuffer codes = tensor.content().read(0, Math.toIntExact(tensor.content().bytes()));
    if (node.is("Conv")) {
      int positions = 1;
      for (long size : dims.subList(2, dims.size())) {
        positions *= (int) size;
      }
      return filters(codes, dims.get(1).intValue(), positions);
    }
    int columns = dims.get(dims.size() - 1).intValue();
    return isTransposed
        ? filters(codes, columns, 1)
        : matrices(codes, dims.get(dims.size() - 2).intValue(), columns);
  }

  private static List<byte[]> filters(ByteBuffer codes, int channels, int positions) {
    List<byte[]> filters = new ArrayList<>();
    for (int first = 0; first < codes.limit(); first += channels * positions) {
      byte[] filter = new byte[channels * positions];
      for (int position = 0; position < positions; position++) {
        for (int channel = 0; channel < channels; channel++) {
          filter[position * channels + channel] = codes.get(first + channel * positions + position);
        }
      }
      filters.add(filter);
    }
    return filters;
  }

  private static List<byte[]> matrices(ByteBuffer codes, int rows, int columns) {
    List<byte[]> found = new ArrayList<>();
    for (int first = 0; first < codes.limit(); first += rows * columns) {
      for (int column = 0; column < columns; column++) {
        byte[] values = new byte[rows];
        for (int row = 0; row < rows; row++) {
          values[row] = codes.get(first + row * columns + column);
        }
        found.add(values);
      }
    }
    return found;
  }
}
