package dev.kvant.torch.script;

import java.util.Set;

/**
 * A parameter of a method.
 *
 * @param name its name
 * @param type its type as the code has it, such as {@code Tensor} or {@code Optional[Tensor]}
 * @param optional whether it has a default, so that a call may leave it out
 * @since 0.1.0
 */
public record ScriptParameter(String name, String type, boolean optional) {

  private static final Set<String> TENSORS = Set.of("Tensor", "Optional[Tensor]");

  /** Whether it takes a tensor. */
  public boolean isTensor() {
    return TENSORS.contains(type);
  }
}
