package dev.kvant.onnx.graph;

import java.util.List;
import java.util.Objects;

/**
 * What is known of a value that is the same in every run: a stored constant, or what operators
 * compute from constants alone.
 *
 * @param origin the name of the stored constant that most of it comes from
 * @param type the type of its elements
 * @param dims its dimensions, outermost first
 * @param storage identifies the stored bytes within the model; begins with {@link #COMPUTED} where
 *     there are none
 * @param quantized whether these are the codes of a tensor that was quantized before
 * @since 0.1.0
 */
public record ConstantValue(
    String origin, DataType type, List<Long> dims, String storage, boolean quantized) {

  /** Begins the storage of a value that operators compute. */
  public static final String COMPUTED = "computed ";

  public ConstantValue {
    Objects.requireNonNull(origin, "origin");
    Objects.requireNonNull(type, "type");
    dims = List.copyOf(dims);
    Objects.requireNonNull(storage, "storage");
  }

  /** Whether operators compute it. */
  public boolean isComputed() {
    return storage.startsWith(COMPUTED);
  }
}
