package dev.kvant.backend.onnx.plan;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.QuantizationMode;
import dev.kvant.backend.onnx.placement.Optimize;
import dev.kvant.backend.onnx.smooth.Smooth;
import dev.kvant.backend.onnx.weights.BlockFormat;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.Options;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The backend's options, read from {@code backend_kwargs}.
 *
 * @param target what the quantized graph will run on
 * @param preprocess whether constants are folded and batch normalizations fused before
 * @param quantizeOutputs whether the outputs of quantized operators are quantized too
 * @param optimize what regions of integers are chosen for
 * @param kernel which operators multiply with quantized weights
 * @param bits the size of codes for {@link Kernel#NBITS}
 * @param blockSize how many weights share a scale for {@link Kernel#NBITS}
 * @param embeddingBits the size of codes in tables that rows are looked up in, for {@link
 *     Kernel#NBITS}
 * @param symmetric whether blocks of {@link Kernel#NBITS} have no zero points; null if their bits
 *     decide
 * @param accuracyLevel how {@link Kernel#NBITS} computes, from 0 to 4, as ONNX Runtime numbers it
 * @param externalData whether large tensors are always written into a file of their own
 * @param reduceRange how many codes weights get that are multiplied by codes of activations
 * @param smooth whether the spread of activations' channels moves into weights
 * @since 0.1.0
 */
public record OnnxOptions(
    Target target,
    boolean preprocess,
    boolean quantizeOutputs,
    Optimize optimize,
    Kernel kernel,
    int bits,
    int blockSize,
    int embeddingBits,
    @Nullable Boolean symmetric,
    int accuracyLevel,
    boolean externalData,
    ReduceRange reduceRange,
    Smooth smooth) {

  /** Which operators multiply with quantized weights. */
  public enum Kernel {
    /** The standard ones, behind {@code DequantizeLinear}. */
    QDQ,
    /** ONNX Runtime's {@code MatMulNBits} and {@code GatherBlockQuantized}. */
    NBITS;

    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** What a quantized graph runs on. */
  public enum Target {
    /** ONNX Runtime on a processor: uint8 activations with a zero point. */
    CPU,
    /** TensorRT: int8 activations without one, biases in float. */
    TENSORRT;

    /** The value of the option. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** How many codes weights get that are multiplied by codes of activations. */
  public enum ReduceRange {
    /** Fewer for channels that would overflow on x86-64 processors without VNNI. */
    AUTO,
    /** 7 bits for all. */
    TRUE,
    /** 8 bits for all. */
    FALSE;

    /** As configurations spell it. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public static final String TARGET = "target";
  private static final String PREPROCESS = "preprocess";
  private static final String QUANTIZE_OUTPUTS = "quantize_outputs";
  public static final String OPTIMIZE = "optimize";
  public static final String KERNEL = "kernel";
  public static final String BITS = "bits";
  public static final String BLOCK_SIZE = "block_size";
  public static final String EMBEDDING_BITS = "embedding_bits";
  public static final String SYMMETRIC = "symmetric";
  private static final int DEFAULT_BITS = 8;
  private static final int DEFAULT_BLOCK_SIZE = 32;
  public static final String ACCURACY_LEVEL = "accuracy_level";

  /** Lets the kernel quantize activations to int8 on the way, which is what makes it fast. */
  private static final int INT8_COMPUTE = 4;

  private static final String EXTERNAL_DATA = "external_data";
  public static final String REDUCE_RANGE = "reduce_range";
  public static final String SMOOTH = "smooth";

  public static final List<OptionDescriptor> DESCRIPTORS =
      List.of(
          OptionDescriptor.choice(
              TARGET,
              List.of(Target.CPU.label(), Target.TENSORRT.label()),
              "What the quantized graph will run on: cpu quantizes activations to uint8 with a zero"
                  + " point, tensorrt to int8 without one."),
          OptionDescriptor.flag(
              PREPROCESS,
              true,
              "Computes what depends on constants alone and fuses batch normalizations into"
                  + " convolutions first, as ONNX Runtime would."),
          OptionDescriptor.flag(
              QUANTIZE_OUTPUTS,
              false,
              "Quantizes the outputs of quantized operators as well as their inputs."),
          OptionDescriptor.choice(
              OPTIMIZE,
              Arrays.stream(Optimize.values())
                  .map(each -> each.name().toLowerCase(Locale.ROOT))
                  .toList(),
              "For static_ptq of int8 on cpu, which operators without weights compute in int8:"
                  + " balanced the fewest within 10 % of the fastest choice, accuracy none, speed the"
                  + " fastest choice. Where smooth is set the default is accuracy."),
          OptionDescriptor.choice(
              KERNEL,
              List.of(Kernel.QDQ.label(), Kernel.NBITS.label()),
              "For weight_only_ptq: qdq stores weights behind DequantizeLinear, nbits replaces"
                  + " products with constant matrices by ONNX Runtime's MatMulNBits."),
          new OptionDescriptor(
              BITS,
              OptionDescriptor.Type.INTEGER,
              List.of(),
              String.valueOf(DEFAULT_BITS),
              "For the kernel nbits: 8 or 4 bits per weight."),
          new OptionDescriptor(
              BLOCK_SIZE,
              OptionDescriptor.Type.INTEGER,
              List.of(),
              String.valueOf(DEFAULT_BLOCK_SIZE),
              "For the kernel nbits: how many weights share a scale, a power of two from 16 to"
                  + " 256."),
          new OptionDescriptor(
              EMBEDDING_BITS,
              OptionDescriptor.Type.INTEGER,
              List.of(),
              String.valueOf(DEFAULT_BITS),
              "For the kernel nbits, tables that rows are looked up in: 8 stores a scale for each"
                  + " row, 4 stores blocks for ONNX Runtime's GatherBlockQuantized, which 1.23 and"
                  + " newer have."),
          OptionDescriptor.of(
              SYMMETRIC,
              OptionDescriptor.Type.BOOLEAN,
              "For the kernel nbits: false stores a zero point with each scale, true does not. By"
                  + " default false for 4 bits, which are more accurate with zero points, and true"
                  + " for 8."),
          new OptionDescriptor(
              ACCURACY_LEVEL,
              OptionDescriptor.Type.INTEGER,
              List.of(),
              String.valueOf(INT8_COMPUTE),
              "For the kernel nbits: the type that ONNX Runtime may compute products in: 0 the"
                  + " input's, 1 float32, 2 float16, 3 bfloat16, 4 int8, with inputs quantized in"
                  + " blocks as the model runs."),
          OptionDescriptor.flag(
              EXTERNAL_DATA,
              false,
              "Writes large tensors into quantized_model.onnx.data even where one file could hold"
                  + " them."),
          OptionDescriptor.choice(
              REDUCE_RANGE,
              Arrays.stream(ReduceRange.values()).map(ReduceRange::label).toList(),
              "For static_ptq and dynamic_ptq of int8, how many codes weights get, because x86-64"
                  + " CPUs without VNNI add pairs of products in 16 bits: auto fewer for channels"
                  + " where a pair could overflow, true 7 bits for all, false 8 bits for all. auto"
                  + " is false for target tensorrt."),
          new OptionDescriptor(
              SMOOTH,
              OptionDescriptor.Type.NUMBER_OR_WORD,
              Smooth.WORDS,
              Smooth.WORDS.get(0),
              "For int8 products, how much of the spread between the channels of their inputs moves"
                  + " into their weights before both are quantized (SmoothQuant): a number from 0"
                  + " to 1, off, or auto, which finds the number on the calibration data."),
          OptionDescriptor.calibrationCache());

  public static OnnxOptions of(Options options) {
    return new OnnxOptions(
        Target.valueOf(options.text(TARGET).toUpperCase(Locale.ROOT)),
        options.flag(PREPROCESS),
        options.flag(QUANTIZE_OUTPUTS),
        optimize(options),
        Kernel.valueOf(options.text(KERNEL).toUpperCase(Locale.ROOT)),
        options.integer(BITS),
        options.integer(BLOCK_SIZE),
        options.integer(EMBEDDING_BITS),
        options.isSet(SYMMETRIC) ? options.flag(SYMMETRIC) : null,
        options.integer(ACCURACY_LEVEL),
        options.flag(EXTERNAL_DATA),
        ReduceRange.valueOf(options.text(REDUCE_RANGE).toUpperCase(Locale.ROOT)),
        Smooth.of(options.numberOrWord(SMOOTH)));
  }

  /** What is smoothed has no regions, so that smoothing needs no second option. */
  private static Optimize optimize(Options options) {
    return options.isSet(OPTIMIZE) || Smooth.of(options.numberOrWord(SMOOTH)).isOff()
        ? Optimize.valueOf(options.text(OPTIMIZE).toUpperCase(Locale.ROOT))
        : Optimize.ACCURACY;
  }

  /** The options that a configuration sets. */
  public static OnnxOptions of(ModelQuantizationConfig config) {
    return of(Options.of(DESCRIPTORS, config.backendKwargs()));
  }

  /** Whether activations are smoothed where they can be. */
  public boolean smooths() {
    return !smooth.isOff() && !quantizeOutputs && !hasRegions();
  }

  /** Whether operators without weights may compute in int8, under static_ptq. */
  public boolean hasRegions() {
    return optimize != Optimize.ACCURACY && target == Target.CPU && !quantizeOutputs;
  }

  /** How {@link Kernel#NBITS} stores the matrices of products. */
  public BlockFormat blockFormat() {
    return blocksOf(bits);
  }

  /** How {@link Kernel#NBITS} stores tables that rows are looked up in; empty if not in blocks. */
  public Optional<BlockFormat> embeddingFormat() {
    return embeddingBits == DEFAULT_BITS ? Optional.empty() : Optional.of(blocksOf(embeddingBits));
  }

  private BlockFormat blocksOf(int bits) {
    return new BlockFormat(bits, blockSize, symmetric == null ? bits == DEFAULT_BITS : symmetric);
  }

  /** What is wrong with the options beyond their types. */
  public List<ConfigurationProblem> problems(QuantizationMode mode, Map<String, Object> kwargs) {
    List<ConfigurationProblem> problems = new ArrayList<>();
    if (bits != 4 && bits != 8) {
      problems.add(problem(BITS, "must be 4 or 8, was " + bits));
    }
    if (embeddingBits != 4 && embeddingBits != 8) {
      problems.add(problem(EMBEDDING_BITS, "must be 4 or 8, was " + embeddingBits));
    }
    if (blockSize < 16 || blockSize > 256 || Integer.bitCount(blockSize) != 1) {
      problems.add(problem(BLOCK_SIZE, "must be 16, 32, 64, 128 or 256, was " + blockSize));
    }
    if (accuracyLevel < 0 || accuracyLevel > INT8_COMPUTE) {
      problems.add(problem(ACCURACY_LEVEL, "must be 0, 1, 2, 3 or 4, was " + accuracyLevel));
    }
    if (kernel == Kernel.NBITS && !QuantizationMode.WEIGHT_ONLY_PTQ.equals(mode)) {
      problems.add(problem(KERNEL, "nbits quantizes weights only; use mode weight_only_ptq"));
    }
    if (QuantizationMode.WEIGHT_ONLY_PTQ.equals(mode)) {
      addWithoutActivations(problems);
    }
    if (QuantizationMode.DYNAMIC_PTQ.equals(mode)) {
      addDynamic(problems);
    }
    if (QuantizationMode.WEIGHT_ONLY_PTQ.equals(mode) && kwargs.containsKey(REDUCE_RANGE)) {
      problems.add(
          problem(
              REDUCE_RANGE,
              "is for weights that are multiplied by codes of activations, which weight_only_ptq"
                  + " leaves alone; leave it out"));
    }
    if (smooth.kind() == Smooth.Kind.FIXED) {
      addFixedSmoothing(mode, problems);
    }
    if (kwargs.containsKey(OPTIMIZE)) {
      addWithoutRegions(mode, problems);
    }
    if (kernel == Kernel.QDQ) {
      for (String key : List.of(BITS, BLOCK_SIZE, EMBEDDING_BITS, SYMMETRIC, ACCURACY_LEVEL)) {
        if (kwargs.containsKey(key)) {
          problems.add(problem(key, "is for kernel: nbits alone; set that or leave this out"));
        }
      }
    }
    return problems;
  }

  /** What asks for something that has no place in a graph whose activations stay as they are. */
  private void addWithoutActivations(List<ConfigurationProblem> problems) {
    if (quantizeOutputs) {
      problems.add(
          problem(
              QUANTIZE_OUTPUTS,
              "quantizes activations, which weight_only_ptq leaves alone; use mode static_ptq or"
                  + " leave it out"));
    }
    if (target == Target.TENSORRT) {
      problems.add(
          problem(
              TARGET,
              kernel == Kernel.NBITS
                  ? "tensorrt does not know MatMulNBits, the operator of kernel: nbits; use kernel:"
                      + " qdq and leave the target out"
                  : "decides how activations are quantized, which weight_only_ptq leaves alone: its"
                      + " graphs are the same for every target; leave it out"));
    }
  }

  /** What asks for something that activations cannot have whose ranges are found at run time. */
  private void addDynamic(List<ConfigurationProblem> problems) {
    if (quantizeOutputs) {
      problems.add(
          problem(
              QUANTIZE_OUTPUTS, "needs calibrated ranges; use mode static_ptq or leave it out"));
    }
    if (target == Target.TENSORRT) {
      problems.add(
          problem(
              TARGET,
              "tensorrt does not support operators that quantize at run time; use mode static_ptq"
                  + " or leave it out"));
    }
  }

  /** What leaves no place for a number that is asked for. */
  private void addFixedSmoothing(QuantizationMode mode, List<ConfigurationProblem> problems) {
    if (!(smooth.alpha() >= 0 && smooth.alpha() <= 1)) {
      problems.add(problem(SMOOTH, "must be from 0 to 1, auto or off, was " + smooth.alpha()));
    }
    if (QuantizationMode.WEIGHT_ONLY_PTQ.equals(mode)) {
      problems.add(
          problem(
              SMOOTH,
              "prepares activations to be quantized, which weight_only_ptq leaves alone; use another"
                  + " mode or leave it out"));
    }
    if (quantizeOutputs || hasRegions()) {
      problems.add(
          problem(
              SMOOTH,
              "changes the inputs of products, and with %s these are shared with other quantized operators; remove one of them"
                  .formatted(quantizeOutputs ? QUANTIZE_OUTPUTS : OPTIMIZE)));
    }
  }

  /** What leaves no choice of regions. */
  private void addWithoutRegions(QuantizationMode mode, List<ConfigurationProblem> problems) {
    if (!QuantizationMode.STATIC_PTQ.equals(mode)) {
      problems.add(problem(OPTIMIZE, "is for mode static_ptq alone; leave it out"));
    } else if (target == Target.TENSORRT) {
      problems.add(
          problem(
              OPTIMIZE,
              "chooses for ONNX Runtime on a CPU; TensorRT fixes where activations are quantized:"
                  + " remove it, or set target: cpu"));
    } else if (quantizeOutputs) {
      problems.add(
          problem(
              OPTIMIZE,
              "chooses where activations are quantized, and so does quantize_outputs: remove one of"
                  + " them"));
    }
  }

  private static ConfigurationProblem problem(String key, String message) {
    return new ConfigurationProblem("quantize.backend_kwargs." + key, message);
  }
}
