package dev.kvant.backend.gguf;

import dev.kvant.api.ModelQuantizationConfig;
import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.Recipe;
import dev.kvant.api.RecipeRequest;
import dev.kvant.api.TensorDescription;
import dev.kvant.backend.gguf.blocks.BlockType;
import dev.kvant.backend.gguf.checkpoint.ConvertedModel;
import dev.kvant.kit.WeightValues;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.JarVersion;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Quantizes the weights of a GGUF file of any architecture, or of a checkpoint of a known one, to
 * the blocks of llama.cpp, without calibration, and writes a GGUF file.
 *
 * @since 0.1.0
 */
public final class GgufBackend implements QuantizationBackend {

  /** The name of the file that is written. */
  static final String ARTIFACT = "quantized_model.gguf";

  private static final String FORMAT = "gguf";

  /** Checkpoints of Hugging Face, which are converted. */
  private static final String CHECKPOINT = "safetensors";

  private static final BackendDescriptor DESCRIPTOR =
      BackendDescriptor.builder("gguf")
          .version(JarVersion.of(GgufBackend.class))
          .description("Quantizes GGUF files for llama.cpp.")
          .mode(
              QuantizationMode.WEIGHT_ONLY_PTQ,
              ModeDescriptor.builder().weights(BlockType.dtypes()).build())
          .format(FORMAT)
          .format(CHECKPOINT)
          .artifact(ARTIFACT)
          .build();

  /** For {@link java.util.ServiceLoader}; does nothing. */
  public GgufBackend() {}

  @Override
  public BackendDescriptor descriptor() {
    return DESCRIPTOR;
  }

  @Override
  public Optional<String> remedy(String format) {
    return Optional.of(
        "give the folder of the checkpoint, with safetensors, config.json and its tokenizer, or a"
            + " GGUF file");
  }

  /** A checkpoint with the names of llama.cpp; a GGUF file as it is. */
  @Override
  public QuantizableModel prepare(QuantizableModel model, RunContext context) {
    return isFile(model)
        ? model
        : ConvertedModel.of(model, module -> NativeNames.reason(module).isPresent());
  }

  private static boolean isFile(QuantizableModel model) {
    return model.format().equals(FORMAT);
  }

  /** Whether a request is for this backend: other backends serve checkpoints as well. */
  private static boolean isMeant(QuantizableModel model, RecipeRequest request) {
    return isFile(model) || request.backend() != null || request.dtype() != null;
  }

  @Override
  public List<Recipe> alternatives(QuantizableModel model, RecipeRequest request) {
    return isMeant(model, request)
        ? QuantizationBackend.super.alternatives(model, request)
        : List.of();
  }

  /**
   * One type for all weights, as is requested, and six bits at least for those that give the next
   * token: {@code output}, or the embeddings where there is none. llama.cpp does so too.
   */
  @Override
  public Optional<Recipe> recommend(QuantizableModel model, RecipeRequest request) {
    if (!isMeant(model, request) || (request.hasData() && request.mode() == null)) {
      return Optional.empty();
    }
    BlockType type =
        Optional.ofNullable(request.dtype()).flatMap(BlockType::of).orElse(BlockType.Q8_0);
    ModelQuantizationConfig.Builder config =
        ModelQuantizationConfig.builder()
            .backend(DESCRIPTOR.id())
            .mode(QuantizationMode.WEIGHT_ONLY_PTQ)
            .defaultLayerDtype(type.dtype())
            .calibration(request.calibration());
    String reason =
        "Blocks of %s take %s bits for a weight."
            .formatted(type.dtype(), type.codec().blocks().bits());
    if (type.codec().blocks().bits() < BlockType.Q6_K.codec().blocks().bits()) {
      Optional<String> last = lastModule(model);
      if (last.isPresent()) {
        config.layer(last.get(), BlockType.Q6_K.dtype());
        reason += " '%s' has q6_k, since it gives the next token.".formatted(last.get());
      }
    }
    return Optional.of(new Recipe(config.build(), reason, Map.of()));
  }

  /** The module that gives the next token, if it can have six bits. */
  private static Optional<String> lastModule(QuantizableModel model) {
    return Stream.of("output", "lm_head", "token_embd", "model.embed_tokens", "embed_tokens")
        .flatMap(name -> model.modules().stream().filter(module -> module.name().equals(name)))
        .findFirst()
        .filter(
            module ->
                module
                    .weight()
                    .filter(weight -> weight.shape().size() > 1)
                    .filter(weight -> WeightValues.supports(weight.elementType()))
                    .flatMap(weight -> BlockType.Q6_K.fitting(weight.shape()))
                    .isPresent())
        .map(ModuleDescription::name);
  }

  @Override
  public Support supports(SupportQuery query) {
    ModuleDescription module = query.module();
    Optional<TensorDescription> weight = module.weight();
    if (weight.isEmpty()) {
      return Support.no("it has no tensor named 'weight'");
    }
    List<Long> shape = weight.get().shape();
    if (shape.size() < 2) {
      return Support.no("llama.cpp reads weights of one dimension only as they are");
    }
    Optional<String> name = NativeNames.reason(module.name());
    if (name.isPresent()) {
      return Support.no(name.get());
    }
    if (!WeightValues.supports(weight.get().elementType())) {
      return Support.no(
          "its weight is %s; float32, float16 and bfloat16 can be quantized"
              .formatted(weight.get().elementType()));
    }
    Optional<BlockType> requested = BlockType.of(query.dtype());
    if (requested.isEmpty()) {
      return Support.no("GGUF files store no weights of " + query.dtype());
    }
    return requested.get().fitting(shape).isPresent()
        ? Support.yes()
        : Support.no(
            "its rows of %d values do not fall into blocks of 32"
                .formatted(shape.get(shape.size() - 1)));
  }

  @Override
  public QuantizationRun begin(QuantizableModel model, QuantizationPlan plan, RunContext context) {
    return new GgufRun(model, plan, context);
  }
}
