package dev.kvant.spi;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Modules of one parent that read one tensor, in the transformers of the common libraries: told by
 * the last parts of their names.
 *
 * @since 0.1.0
 */
public enum ModuleFamily {
  /** Attention in BERT and its relatives. */
  QUERY_KEY_VALUE("query", "key", "value"),
  /** Attention in Llama and its relatives. */
  QKV_PROJ("q_proj", "k_proj", "v_proj"),
  /** Attention in DistilBERT. */
  QKV_LIN("q_lin", "k_lin", "v_lin"),
  /** Attention in diffusion models. */
  TO_QKV("to_q", "to_k", "to_v"),
  /** Attention in T5. */
  QKV("q", "k", "v"),
  /** The gated feed-forward block of Llama and its relatives. */
  GATE_UP_PROJ("gate_proj", "up_proj"),
  /** The gated feed-forward block of T5. */
  WI("wi_0", "wi_1"),
  /** The gated feed-forward block of Mixtral. */
  W1_W3("w1", "w3");

  @SuppressWarnings("ImmutableEnumChecker") // List.of cannot be changed.
  private final List<String> names;

  ModuleFamily(String... names) {
    this.names = List.of(names);
  }

  /** The last parts of the names. */
  public List<String> names() {
    return names;
  }

  /**
   * The family of a module; empty if it has none.
   *
   * @param module its qualified name
   */
  public static Optional<ModuleFamily> of(String module) {
    String name = module.substring(parent(module).length());
    return Stream.of(values()).filter(family -> family.names.contains(name)).findFirst();
  }

  /**
   * A name for the modules of one family in one parent, equal for all of them.
   *
   * @param module the qualified name of one that belongs to this family
   */
  public String in(String module) {
    return parent(module) + this;
  }

  /** The name up to its last part, with the dot. */
  private static String parent(String module) {
    return module.substring(0, module.lastIndexOf('.') + 1);
  }
}
