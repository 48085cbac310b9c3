package dev.kvant.api;

import java.util.Objects;

/**
 * A model with its plan: the result of {@link ModelQuantizer#prepare} and the input of the later
 * steps. It refers to the caller's model and does not close it.
 *
 * @param model the opened model, as the backend will quantize it
 * @param plan its plan
 * @since 0.1.0
 */
public record PreparedModel(QuantizableModel model, QuantizationPlan plan) {

  public PreparedModel {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(plan, "plan");
  }
}
