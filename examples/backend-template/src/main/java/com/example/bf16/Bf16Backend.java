package com.example.bf16;

import dev.kvant.api.Dtype;
import dev.kvant.api.ElementType;
import dev.kvant.api.QuantizationMode;
import dev.kvant.api.TensorDescription;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.JarVersion;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.QuantizationBackend;
import dev.kvant.spi.Quantizer;
import dev.kvant.spi.QuantizerContext;
import dev.kvant.spi.Support;
import dev.kvant.spi.SupportQuery;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Rounds the weights of any module to bfloat16. */
public final class Bf16Backend implements QuantizationBackend {

  static final String ARTIFACT = "quantized_model_bf16.safetensors";

  private static final BackendDescriptor DESCRIPTOR =
      new BackendDescriptor(
          "bf16",
          List.of(),
          JarVersion.of(Bf16Backend.class),
          "Rounds weights to bfloat16.",
          Map.of(
              QuantizationMode.WEIGHT_ONLY_PTQ,
              new ModeDescriptor(List.of(Dtype.of("bf16")), List.of(), List.of())),
          List.of("torchscript", "pytorch", "safetensors"),
          List.of(ARTIFACT),
          List.of());

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
    if (weight.get().elementType() != ElementType.FLOAT32) {
      return Support.no("its weight is %s, not float32".formatted(weight.get().elementType()));
    }
    return Support.yes();
  }

  @Override
  public Quantizer create(QuantizerContext context) {
    return new Bf16Quantizer(context);
  }
}
