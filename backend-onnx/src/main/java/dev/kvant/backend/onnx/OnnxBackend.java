package dev.kvant.backend.onnx;

import dev.kvant.api.CalibrationAlgorithm;
import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.Granularity;
import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.Operand;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.api.TensorDescription;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.backend.onnx.placement.Placer;
import dev.kvant.backend.onnx.plan.OnnxOptions;
import dev.kvant.backend.onnx.preprocess.PreparedOnnxModel;
import dev.kvant.kit.StaticMode;
import dev.kvant.onnx.OnnxFormat;
import dev.kvant.onnx.OnnxModelFile;
import dev.kvant.onnx.graph.ConstantValue;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.JarVersion;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.ModeDescriptor.Calibration;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Quantizes ONNX graphs.
 *
 * @since 0.1.0
 */
public final class OnnxBackend implements QuantizationBackend {

  /** The name of the artifact. */
  static final String ARTIFACT = "quantized_model.onnx";

  /** The name of the file beside it that takes large tensors. */
  static final String ARTIFACT_DATA = ARTIFACT + ".data";

  private static final Set<String> QUANTIZABLE =
      Set.of("Conv", "ConvTranspose", "Gemm", "MatMul", "Gather");

  private static final Set<ElementType> FLOATS =
      Set.of(ElementType.FLOAT32, ElementType.FLOAT16, ElementType.BFLOAT16);

  static final Set<String> RECURRENT = Set.of("LSTM", "GRU", "RNN");

  private static final Set<String> RECURRENT_WEIGHTS = Set.of("weight_ih", "weight_hh");

  private static final List<Dtype> DTYPES = List.of(Dtype.INT8, Dtype.FP8_E4M3FN, Dtype.FP8_E5M2);

  private static final BackendDescriptor DESCRIPTOR =
      BackendDescriptor.builder("onnx")
          .alias("modelopt.onnx")
          .version(JarVersion.of(OnnxBackend.class))
          .description("Quantizes ONNX graphs in a way that ONNX Runtime and TensorRT run.")
          .mode(
              QuantizationMode.WEIGHT_ONLY_PTQ,
              ModeDescriptor.builder()
                  .weights(DTYPES)
                  .weightGranularities(
                      List.of(
                          Granularity.Kind.CHANNEL,
                          Granularity.Kind.TENSOR,
                          Granularity.Kind.AXIS,
                          Granularity.Kind.GROUP))
                  .algorithms(
                      List.of(
                          CalibrationAlgorithm.MINMAX,
                          CalibrationAlgorithm.MSE,
                          CalibrationAlgorithm.PERCENTILE,
                          CalibrationAlgorithm.GPTQ,
                          CalibrationAlgorithm.AWQ))
                  .calibration(Calibration.OPTIONAL)
                  .build())
          .mode(
              QuantizationMode.STATIC_PTQ,
              StaticMode.of(
                  DTYPES,
                  List.of(Granularity.Kind.CHANNEL, Granularity.Kind.TENSOR, Granularity.Kind.AXIS),
                  Calibration.REQUIRED))
          .mode(
              QuantizationMode.DYNAMIC_PTQ,
              ModeDescriptor.builder()
                  .weights(List.of(Dtype.INT8))
                  .activations(List.of(Dtype.INT8))
                  .weightGranularities(List.of(Granularity.Kind.CHANNEL, Granularity.Kind.TENSOR))
                  .activationGranularities(List.of(Granularity.Kind.TENSOR))
                  .algorithms(
                      List.of(
                          CalibrationAlgorithm.MINMAX,
                          CalibrationAlgorithm.PERCENTILE,
                          CalibrationAlgorithm.MSE))
                  .calibration(Calibration.OPTIONAL)
                  .build())
          .format(OnnxFormat.ID)
          .artifact(ARTIFACT)
          .sideFile(ARTIFACT_DATA)
          .options(OnnxOptions.DESCRIPTORS)
          .build();

  /** For {@link java.util.ServiceLoader}. */
  public OnnxBackend() {}

  @Override
  public BackendDescriptor descriptor() {
    return DESCRIPTOR;
  }

  @Override
  public Support supports(SupportQuery query) {
    String operator = query.module().type();
    if (RECURRENT.contains(operator)) {
      return recurrent(query);
    }
    if (query.module().tensors().isEmpty() && query.operand() == Operand.ACTIVATIONS) {
      return withoutWeights(query);
    }
    if (!QUANTIZABLE.contains(operator)) {
      return Support.no(
          "%s is not among the operators that are quantized: Conv, ConvTranspose, Gemm, MatMul, Gather"
              .formatted(operator));
    }
    Optional<TensorDescription> weight = query.module().weight();
    if (weight.isEmpty()) {
      return Support.no("its weight is not constant");
    }
    if (!FLOATS.contains(weight.get().elementType())) {
      return Support.no(
          "its weight is %s; float32, float16 and bfloat16 can be quantized"
              .formatted(weight.get().elementType()));
    }
    Optional<String> dimensions = obstacleOfDimensions(query.operand(), operator, weight.get());
    if (dimensions.isPresent()) {
      return Support.no(dimensions.get());
    }
    OnnxOptions options = OnnxOptions.of(query.config());
    if (weight.get().storage().startsWith(ConstantValue.COMPUTED)) {
      return computed(options);
    }
    if (operator.equals("Gather") && !query.dtype().equals(Dtype.INT8)) {
      return Support.no("Gather does not take %s; int8 it does".formatted(query.dtype()));
    }
    if (options.kernel() == OnnxOptions.Kernel.NBITS && !query.dtype().equals(Dtype.INT8)) {
      return Support.no("kernel: nbits stores integers; say int8");
    }
    if (QuantizationMode.DYNAMIC_PTQ.equals(query.config().mode())) {
      Optional<String> inTheWay = obstacleToDynamic(query.operand(), operator, weight.get());
      if (inTheWay.isPresent()) {
        return Support.no(inTheWay.get());
      }
    }
    Optional<String> obstacle = obstacleToGranularity(query, options);
    if (obstacle.isPresent()) {
      return Support.no(obstacle.get());
    }
    if (query.operand() == Operand.ACTIVATIONS && operator.equals("Gather")) {
      return Support.no("the input of Gather is indices");
    }
    if (query.operand() == Operand.ACTIVATIONS
        && weight.get().elementType().equals(ElementType.BFLOAT16)) {
      return Support.no(
          "its inputs are bfloat16, and ONNX Runtime has no such products for CPUs, which would"
              + " have to run to observe them; its weights can be quantized alone");
    }
    return Support.yes();
  }

  /** Whether an operator without weights may compute with codes between products that do. */
  private static Support withoutWeights(SupportQuery query) {
    String operator = query.module().type();
    if (!Placer.takes(operator)) {
      return Support.no("ONNX Runtime has no integer kernel for " + operator);
    }
    if (!QuantizationMode.STATIC_PTQ.equals(query.config().mode())
        || !OnnxOptions.of(query.config()).hasRegions()) {
      return Support.no(
          "operators without weights compute in int8 only under static_ptq with target: cpu and"
              + " optimize: balanced or speed");
    }
    return query.dtype().equals(Dtype.INT8)
        ? Support.yes()
        : Support.no("%s does not take %s; int8 it does".formatted(operator, query.dtype()));
  }

  private static Support computed(OnnxOptions options) {
    return Support.no(
        options.preprocess()
            ? "its weight is computed in the graph from less than it would take"
            : "its weight is transposed or otherwise computed in the graph, and preprocess is"
                + " false");
  }

  /**
   * Whether the weights of LSTM, GRU and RNN can be quantized: those of the input and the state.
   */
  private static Support recurrent(SupportQuery query) {
    String operator = query.module().type();
    if (query.operand() == Operand.ACTIVATIONS
        || !QuantizationMode.WEIGHT_ONLY_PTQ.equals(query.config().mode())) {
      return Support.no(
          "ONNX has no quantized %s; weight_only_ptq stores its weights as int8"
              .formatted(operator));
    }
    if (!query.dtype().equals(Dtype.INT8)) {
      return Support.no("%s does not take %s; int8 it does".formatted(operator, query.dtype()));
    }
    OnnxOptions options = OnnxOptions.of(query.config());
    List<TensorDescription> weights =
        query.module().tensors().stream()
            .filter(tensor -> RECURRENT_WEIGHTS.contains(tensor.name()))
            .toList();
    if (weights.size() < RECURRENT_WEIGHTS.size()) {
      return Support.no("its weight is not constant");
    }
    for (TensorDescription weight : weights) {
      if (!FLOATS.contains(weight.elementType())) {
        return Support.no(
            "its weight is %s; float32, float16 and bfloat16 can be quantized"
                .formatted(weight.elementType()));
      }
      if (weight.storage().startsWith(ConstantValue.COMPUTED)) {
        return computed(options);
      }
    }
    return obstacleToGranularity(query, options).map(Support::no).orElseGet(Support::yes);
  }

  /** Why a constant of so many dimensions is not quantized. */
  private static Optional<String> obstacleOfDimensions(
      Operand operand, String operator, TensorDescription weight) {
    int dimensions = weight.shape().size();
    if (operand == Operand.ACTIVATIONS && operator.equals("MatMul") && dimensions < 2) {
      return Optional.of("its constant is a vector, with which no integers are multiplied");
    }
    boolean isSound =
        switch (operator) {
          case "Gemm" -> dimensions == 2;
          case "Conv", "ConvTranspose" -> dimensions > 2;
          default -> true;
        };
    return isSound
        ? Optional.empty()
        : Optional.of("%s has no weight of %d dimensions".formatted(operator, dimensions));
  }

  /** Why a product cannot be one of integers whose activations are quantized as the model runs. */
  private static Optional<String> obstacleToDynamic(
      Operand operand, String operator, TensorDescription weight) {
    if (operator.startsWith("Conv")) {
      return Optional.of(
          "ONNX Runtime computes convolutions of integers that are quantized at run time more"
              + " slowly than in float32; use static_ptq for them");
    }
    if (operand == Operand.ACTIVATIONS && !operator.equals("Gather")) {
      if (weight.shape().size() != 2) {
        return Optional.of("dynamic_ptq multiplies with matrices of two dimensions");
      }
      if (!weight.elementType().equals(ElementType.FLOAT32)) {
        return Optional.of("dynamic_ptq is for float32 models; its inputs are not float32");
      }
    }
    return Optional.empty();
  }

  /** Why the values of a weight cannot share scales as asked. */
  private static Optional<String> obstacleToGranularity(SupportQuery query, OnnxOptions options) {
    Granularity granularity = query.granularity();
    if (granularity == null || query.operand() != Operand.WEIGHTS) {
      return Optional.empty();
    }
    boolean isInBlocks =
        options.kernel() == OnnxOptions.Kernel.NBITS
            && query
                .module()
                .weight()
                .filter(weight -> isInBlocks(query, weight, options))
                .isPresent();
    if (isInBlocks) {
      Granularity blocks = Granularity.group(options.blockSize());
      return granularity.equals(blocks)
          ? Optional.empty()
          : Optional.of("with kernel: nbits and this block_size only %s is".formatted(blocks));
    }
    if (granularity instanceof Granularity.PerGroup) {
      return Optional.of("only products of kernel: nbits store scales for groups");
    }
    return query.module().type().equals("Gather")
            && granularity instanceof Granularity.PerAxis along
            && along.axis() > 0
        ? Optional.of("a table that rows are looked up in has one scale for each row, axis 0")
        : Optional.empty();
  }

  /** Whether a weight is of a kind that ONNX Runtime multiplies by, or looks up, in blocks. */
  private static boolean isInBlocks(
      SupportQuery query, TensorDescription weight, OnnxOptions options) {
    if (weight.shape().size() != 2 || !weight.elementType().equals(ElementType.FLOAT32)) {
      return false;
    }
    return switch (query.module().type()) {
      case "MatMul", "Gemm" -> true;
      case "Gather" ->
          options
              .embeddingFormat()
              .filter(format -> format.holdsRowsOf(weight.shape().get(1)))
              .isPresent();
      default -> false;
    };
  }

  @Override
  public List<ConfigurationProblem> validate(ModelQuantizationConfig config) {
    return ConfigurationCheck.problems(config);
  }

  @Override
  public Optional<Recipe> recommend(QuantizableModel model, RecipeRequest request) {
    return new OnnxRecipes(DESCRIPTOR, model, request).recipe();
  }

  @Override
  public List<Recipe> alternatives(QuantizableModel model, RecipeRequest request) {
    return new OnnxRecipes(DESCRIPTOR, model, request).alternatives();
  }

  @Override
  public QuantizableModel prepare(QuantizableModel model, RunContext context) {
    return prepared(model, context);
  }

  private static PreparedOnnxModel prepared(QuantizableModel model, RunContext context) {
    if (model instanceof PreparedOnnxModel prepared) {
      return prepared;
    }
    if (model instanceof OnnxModelFile file) {
      return PreparedOnnxModel.of(file, OnnxOptions.of(context.options()).preprocess());
    }
    throw new UnsupportedModelException(
        "%s is of the format %s; the backend onnx takes onnx"
            .formatted(model.source(), model.format()));
  }

  @Override
  public QuantizationRun begin(QuantizableModel model, QuantizationPlan plan, RunContext context) {
    return new OnnxRun(prepared(model, context), plan, context);
  }
}
