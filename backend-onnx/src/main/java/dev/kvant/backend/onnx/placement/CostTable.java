package dev.kvant.backend.onnx.placement;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/**
 * What kernels take, in nanoseconds on one thread, as it was measured once. The resource says where
 * and how.
 */
final class CostTable {

  /**
   * One kind of kernel.
   *
   * @param inFloat nanoseconds for a unit of work in float32
   * @param inInteger nanoseconds for a unit of work with codes of 8 bits
   */
  private record Line(double inFloat, double inInteger) {}

  private static final String RESOURCE = "cpu-costs.csv";
  private static final String QUANTIZE = "QuantizeLinear";
  private static final String DEQUANTIZE = "DequantizeLinear";
  private static final String WEIGHTS = "DequantizeLinear.weights";
  private static final String LAYOUT = "Conv.layout";
  private static final String RESTORED = ".restored";
  private static final String CALL = "call";
  private static final String OTHERS = "others";

  private final Map<String, Line> lines;

  private CostTable(Map<String, Line> lines) {
    this.lines = lines;
  }

  /** The table of ONNX Runtime's processor. */
  static CostTable cpu() {
    Map<String, Line> lines = new HashMap<>();
    try (InputStream stream =
            Objects.requireNonNull(CostTable.class.getResourceAsStream(RESOURCE), RESOURCE);
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
      reader
          .lines()
          .filter(line -> !line.isBlank() && !line.startsWith("#"))
          .map(line -> line.split(",", -1))
          .forEach(
              cells ->
                  lines.put(
                      cells[0].strip(),
                      new Line(
                          Double.parseDouble(cells[1].strip()),
                          Double.parseDouble(cells[2].strip()))));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new CostTable(lines);
  }

  /**
   * What an operator takes in float, with the weights that it reads restored first. Weights that
   * are no constants keep ONNX Runtime from its blocked kernels of convolutions.
   */
  double inFloat(Operator operator, Sizes sizes) {
    Line restored = lines.get(operator.cost() + RESTORED);
    if (restored != null) {
      return call()
          + units(operator, sizes) * restored.inFloat()
          + operator.weights() * line(WEIGHTS).inFloat();
    }
    double layout =
        operator.node().is("Conv") ? elements(operator, sizes) * line(LAYOUT).inFloat() : 0;
    return inOriginal(operator, sizes) + layout + operator.weights() * line(WEIGHTS).inFloat();
  }

  /** What an operator takes in the model as it was. */
  double inOriginal(Operator operator, Sizes sizes) {
    return call() + units(operator, sizes) * line(operator.cost()).inFloat();
  }

  /** What an operator takes with codes. */
  double inInteger(Operator operator, Sizes sizes) {
    return call() + units(operator, sizes) * line(operator.cost()).inInteger();
  }

  private static double units(Operator operator, Sizes sizes) {
    return operator.work() > 0
        ? operator.work() * sizes.of(operator.output())
        : elements(operator, sizes);
  }

  private static double elements(Operator operator, Sizes sizes) {
    double largest = operator.outputs().stream().mapToDouble(sizes::of).sum();
    for (Reader input : operator.inputs()) {
      largest = Math.max(largest, sizes.of(input.tensor()));
    }
    return largest;
  }

  /** What it takes to quantize a tensor. */
  double quantize(String tensor, Sizes sizes) {
    return call() + sizes.of(tensor) * line(QUANTIZE).inFloat();
  }

  /** What it takes to restore a tensor to float. */
  double dequantize(String tensor, Sizes sizes) {
    return call() + sizes.of(tensor) * line(DEQUANTIZE).inInteger();
  }

  private double call() {
    return line(CALL).inFloat();
  }

  private Line line(String kind) {
    Line line = lines.get(kind);
    return line == null ? Objects.requireNonNull(lines.get(OTHERS), OTHERS) : line;
  }
}
