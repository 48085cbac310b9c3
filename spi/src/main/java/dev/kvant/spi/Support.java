package dev.kvant.spi;

import java.util.Map;
import java.util.Objects;

/**
 * A backend's answer to whether it can quantize an operand of a module.
 *
 * @since 0.1.0
 */
public sealed interface Support {

  /** In every artifact. */
  record Yes() implements Support {}

  /**
   * In none.
   *
   * @param reason why, for a person, as in {@code torchao has no int8 kernel for Conv2d}
   */
  record No(String reason) implements Support {
    public No {
      Objects.requireNonNull(reason, "reason");
    }
  }

  /**
   * In some artifacts.
   *
   * @param nativeIn the file names of the artifacts that keep the operand native, each with the
   *     reason
   */
  record Partly(Map<String, String> nativeIn) implements Support {
    public Partly {
      nativeIn = Map.copyOf(nativeIn);
    }
  }

  /** It can, in every artifact. */
  static Support yes() {
    return new Yes();
  }

  /** It cannot, for that reason. */
  static Support no(String reason) {
    return new No(reason);
  }

  /** It can, except in those artifacts, for those reasons. */
  static Support partly(Map<String, String> nativeIn) {
    return new Partly(nativeIn);
  }
}
