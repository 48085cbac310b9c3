package com.example.bf16;

import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.api.TensorDescription;
import dev.kvant.kit.WeightOnlyRun;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.JarVersion;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.QuantizationRun;
import dev.kvant.spi.RunContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.util.List;
import java.util.Optional;

/** Rounds the weights of any module to bfloat16. */
public final class Bf16Backend implements QuantizationBackend {

  private static final String ARTIFACT = "quantized_model_bf16.safetensors";

  private static final BackendDescriptor DESCRIPTOR =
      BackendDescriptor.builder("bf16")
          .version(JarVersion.of(Bf16Backend.class))
          .description("Rounds weights to bfloat16.")
          .mode(
              QuantizationMode.WEIGHT_ONLY_PTQ,
              ModeDescriptor.builder().weights(List.of(Dtype.of("bf16"))).build())
          .format("torchscript")
          .format("pytorch")
          .format("safetensors")
          .artifact(ARTIFACT)
          .build();

  /** For {@link java.util.ServiceLoader}; does nothing. */
  public Bf16Backend() {}

  @Override
  public BackendDescriptor descriptor() {
    return DESCRIPTOR;
  }

  @Override
  public Support supports(SupportQuery query) {
    Optional<TensorDescription> weight = query.module().weight();
    if (weight.isEmpty()) {
      return Support.no("it has no weight of its own");
    }
    if (!weight.get().elementType().equals(ElementType.FLOAT32)) {
      return Support.no("its weight is %s, not float32".formatted(weight.get().elementType()));
    }
    return Support.yes();
  }

  @Override
  public QuantizationRun begin(QuantizableModel model, QuantizationPlan plan, RunContext context) {
    return WeightOnlyRun.ofBlocks(
        model, plan, context, ARTIFACT, "The model in bfloat16.", new Bf16Blocks());
  }
}
