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
 * Quantizes the weights of a GGUF file of any architecture to the blocks of llama.cpp, without
 * calibration, and writes a GGUF file with the same metadata.
 *
 * @since 0.1.0
 */
public final class GgufBackend implements QuantizationBackend {

  /** The name of the file that is written. */
  static final String ARTIFACT = "quantized_model.gguf";

  private static final BackendDescriptor DESCRIPTOR =
      BackendDescriptor.builder("gguf")
          .version(JarVersion.of(GgufBackend.class))
          .description("Quantizes GGUF files for llama.cpp.")
          .mode(
              QuantizationMode.WEIGHT_ONLY_PTQ,
              ModeDescriptor.builder().weights(BlockType.dtypes()).build())
          .format("gguf")
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
        "convert it to a GGUF file of float16 with llama.cpp's convert_hf_to_gguf.py");
  }

  /**
   * One type for all weights, as is requested, and six bits at least for those that give the next
   * token: {@code output}, or the embeddings where there is none. llama.cpp does so too.
   */
  @Override
  public Optional<Recipe> recommend(QuantizableModel model, RecipeRequest request) {
    if (request.hasData() && request.mode() == null) {
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
    return Stream.of("output", "token_embd")
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
