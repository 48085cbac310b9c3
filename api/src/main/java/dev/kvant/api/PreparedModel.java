package dev.kvant.api;

import java.util.Objects;

/**
 * A model with the plan for it: what {@link ModelQuantizer#prepare} gives and the later steps take.
 * Holds the caller's model without owning it.
 *
 * @param model the model as it was opened
 * @param plan what will be done to it
 * @since 0.1.0
 */
public record PreparedModel(QuantizableModel model, QuantizationPlan plan) {

  public PreparedModel {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(plan, "plan");
  }
}
