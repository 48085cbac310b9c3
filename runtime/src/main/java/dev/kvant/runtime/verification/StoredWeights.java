package dev.kvant.runtime.verification;

import dev.kvant.api.ElementType;
import dev.kvant.api.ModelTensor;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.ModuleReport;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.Tensor;
import dev.kvant.api.Verification.Status;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Compares the tensors of an artifact that cannot run here, read back and dequantized, with those
 * of its source. Names, shapes and types of all tensors are compared; values of the smaller ones,
 * until {@value #BUDGET} bytes of the source are read.
 *
 * <p>A tensor of a module that is not quantized must be equal bit for bit. A quantized one must
 * have the ratio of signal to quantization noise that the report states, or be equal. The report
 * knows values before they are rounded to the type of the tensor, so that rounding may add to it.
 * The artifact may lack buffers of modules without weights: state dicts hold no others than those
 * that are to be loaded.
 *
 * @param status the result
 * @param reason why it could not be compared or is rejected; null if it is verified
 * @param compared how many tensors were compared by value
 * @param sqnrByTensor the ratio in decibels of each tensor that differs from the source's
 */
record StoredWeights(
    Status status, @Nullable String reason, int compared, Map<String, Double> sqnrByTensor) {

  /** How many bytes of the source's tensors are read at most, except for the first tensor. */
  private static final long BUDGET = 64 << 20;

  /** How far in decibels the ratio of what was read may be from the report's. */
  private static final double TOLERANCE = 0.1;

  private static final int BLOCK_ELEMENTS = 1 << 18;

  /** A tensor to compare by value. */
  private record Pair(
      String name, ModelTensor source, ModelTensor artifact, @Nullable ModuleReport module) {

    boolean isQuantized() {
      return module != null;
    }
  }

  /** Compares. */
  static StoredWeights of(
      QuantizableModel source, QuantizableModel artifact, QuantizationReport report) {
    Map<String, ModuleReport> quantized = quantizedModules(source, report);
    Set<String> hasWeights = modulesWithWeights(source);
    Map<String, ? extends ModelTensor> stored = artifact.tensors();
    List<Pair> pairs = new ArrayList<>();
    for (Map.Entry<String, ? extends ModelTensor> entry : source.tensors().entrySet()) {
      String name = entry.getKey();
      ModelTensor expected = entry.getValue();
      ModuleReport module = quantized.get(moduleOf(name));
      ModelTensor actual = stored.get(name);
      if (actual == null
          && !(expected.elementType().isFloatingPoint() && hasWeights.contains(moduleOf(name)))) {
        continue;
      }
      if (actual != null
          && actual.shape().equals(expected.shape())
          && actual.elementType().equals(expected.elementType())) {
        pairs.add(new Pair(name, expected, actual, module));
      } else if (module != null) {
        return notVerified(
            "it runs in other software, and Kvant does not dequantize the form in which it holds '%s'"
                .formatted(name));
      } else {
        return rejected(
            actual == null
                ? "it has no tensor '%s'".formatted(name)
                : "tensor '%s' is %s%s, and %s%s in the source"
                    .formatted(
                        name,
                        actual.elementType(),
                        actual.shape(),
                        expected.elementType(),
                        expected.shape()));
      }
    }
    if (pairs.isEmpty()) {
      return notVerified("it runs in other software, and there are no tensors to compare");
    }
    return compare(pairs);
  }

  private static StoredWeights compare(List<Pair> pairs) {
    pairs.sort(
        Comparator.comparing(Pair::isQuantized)
            .reversed()
            .thenComparingLong(pair -> pair.source().bytes()));
    Map<String, Double> ratios = new LinkedHashMap<>();
    Set<List<String>> seen = new HashSet<>();
    long read = 0;
    int compared = 0;
    for (Pair pair : pairs) {
      if (compared > 0 && read + pair.source().bytes() > BUDGET) {
        continue;
      }
      if (!seen.add(List.of(pair.source().identity(), pair.artifact().identity()))) {
        continue;
      }
      read += pair.source().bytes();
      compared++;
      Noise noise = Noise.of(pair.source(), pair.artifact());
      if (noise.isNone()) {
        continue;
      }
      String fault = fault(pair, noise);
      if (fault != null) {
        return rejected(fault);
      }
      ratios.put(pair.name(), noise.decibels());
    }
    return new StoredWeights(Status.VERIFIED, null, compared, ratios);
  }

  private static @Nullable String fault(Pair pair, Noise noise) {
    if (pair.module() == null || !noise.isComparable()) {
      return "tensor '%s' differs from the source's, and its module is not quantized"
          .formatted(pair.name());
    }
    if (noise.notFinite() > 0) {
      return "tensor '%s' has %d values that are not finite"
          .formatted(pair.name(), noise.notFinite());
    }
    Double reported = pair.module().weights().sqnrDecibels();
    return reported == null || noise.has(reported, halfUnit(pair.source().elementType()))
        ? null
        : String.format(
            Locale.ROOT,
            "tensor '%s' has an SQNR of %.1f dB as it is read back, and the report says %.1f dB",
            pair.name(),
            noise.decibels(),
            reported);
  }

  /** How far a value moves at most when it is rounded to a type, as a part of it. */
  private static double halfUnit(ElementType type) {
    if (type.equals(ElementType.BFLOAT16)) {
      return 0x1p-8;
    }
    return type.equals(ElementType.FLOAT16) ? 0x1p-11 : 0;
  }

  private static StoredWeights notVerified(String reason) {
    return new StoredWeights(Status.NOT_VERIFIED, reason, 0, Map.of());
  }

  private static StoredWeights rejected(String reason) {
    return new StoredWeights(Status.REJECTED, reason, 0, Map.of());
  }

  /** The modules whose weights the report calls quantized, by all their names. */
  private static Map<String, ModuleReport> quantizedModules(
      QuantizableModel source, QuantizationReport report) {
    Map<String, ModuleReport> byFirstName = new HashMap<>();
    for (ModuleReport module : report.modules()) {
      if (module.weights().isQuantized()) {
        byFirstName.put(module.decision().module(), module);
      }
    }
    Map<String, ModuleReport> quantized = new HashMap<>(byFirstName);
    for (ModuleDescription module : source.modules()) {
      ModuleReport reported = byFirstName.get(module.name());
      if (reported != null) {
        module.names().forEach(name -> quantized.put(name, reported));
      }
    }
    return quantized;
  }

  private static Set<String> modulesWithWeights(QuantizableModel source) {
    Set<String> names = new HashSet<>();
    for (ModuleDescription module : source.modules()) {
      if (module.hasWeights()) {
        names.addAll(module.names());
      }
    }
    return names;
  }

  private static String moduleOf(String tensor) {
    return tensor.substring(0, Math.max(0, tensor.lastIndexOf('.')));
  }

  /**
   * How two tensors of one shape and type differ.
   *
   * @param isComparable whether their values are numbers that can be subtracted
   */
  private record Noise(
      double signal, double noise, long notFinite, boolean isEqual, boolean isComparable) {

    static Noise of(ModelTensor source, ModelTensor artifact) {
      boolean isComparable =
          source.elementType().isFloatingPoint() && source.elementType().bits() > 8;
      double signal = 0;
      double noise = 0;
      long notFinite = 0;
      boolean isEqual = true;
      long block = Math.max(1, source.elementType().blockElements()) * (long) BLOCK_ELEMENTS;
      for (long first = 0; first < source.elements(); first += block) {
        long count = Math.min(block, source.elements() - first);
        ByteBuffer expected = read(source, first, count);
        ByteBuffer actual = read(artifact, first, count);
        if (expected.equals(actual)) {
          if (isComparable) {
            signal += square(floats(source, count, expected));
          }
          continue;
        }
        isEqual = false;
        if (!isComparable) {
          break;
        }
        float[] weights = floats(source, count, expected);
        float[] restored = floats(source, count, actual);
        for (int i = 0; i < weights.length; i++) {
          if (!Float.isFinite(restored[i])) {
            notFinite++;
          }
          double difference = (double) weights[i] - restored[i];
          signal += (double) weights[i] * weights[i];
          noise += difference * difference;
        }
      }
      return new Noise(signal, noise, notFinite, isEqual, isComparable);
    }

    private static double square(float[] values) {
      double sum = 0;
      for (float value : values) {
        sum += (double) value * value;
      }
      return sum;
    }

    private static ByteBuffer read(ModelTensor tensor, long first, long count) {
      ByteBuffer bytes =
          ByteBuffer.allocate(Math.toIntExact(tensor.elementType().bytes(count)))
              .order(ByteOrder.LITTLE_ENDIAN);
      tensor.read(first, bytes);
      return bytes.flip();
    }

    private static float[] floats(ModelTensor tensor, long count, ByteBuffer bytes) {
      return Tensor.of(tensor.elementType(), List.of(count), bytes).toFloats();
    }

    boolean isNone() {
      return isEqual || (isComparable && noise == 0 && notFinite == 0);
    }

    /**
     * Whether the noise is that of a ratio in decibels, but for {@value #TOLERANCE} dB and for what
     * rounding restored values to the tensor's type adds or removes at most. By the triangle
     * inequality that is the norm of the restored values times the part by which one moves.
     */
    boolean has(double decibels, double rounding) {
      double expected = Math.pow(10, -decibels / 20);
      double allowed = expected * (Math.pow(10, TOLERANCE / 20) - 1) + rounding * (1 + expected);
      return Math.abs(Math.sqrt(noise / signal) - expected) <= allowed;
    }

    double decibels() {
      return 10 * Math.log10(signal / noise);
    }
  }
}
