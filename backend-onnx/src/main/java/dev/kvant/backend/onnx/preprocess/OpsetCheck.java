package dev.kvant.backend.onnx.preprocess;

import dev.kvant.api.UnsupportedModelException;
import dev.kvant.onnx.graph.OnnxModel;

/**
 * Checks that a model is of a version of the standard operators that can be worked with.
 *
 * @since 0.1.0
 */
public final class OpsetCheck {

  private static final long OLDEST = OldOperators.OLDEST;

  /** The newest one that ONNX Runtime 1.23.2 promises to run. */
  private static final long NEWEST = 23;

  private OpsetCheck() {}

  /**
   * Checks a model.
   *
   * @throws UnsupportedModelException if its operators are too old, too new or of no version
   */
  public static void check(OnnxModel model) {
    long opset =
        model
            .opset("")
            .orElseThrow(
                () ->
                    new UnsupportedModelException(
                        "%s names no version of the standard operators (opset of ai.onnx)"
                            .formatted(model.source())));
    if (opset < OLDEST || opset > NEWEST) {
      throw new UnsupportedModelException(
          "%s is of opset %d; opsets %d to %d are supported, export the model anew with one of them"
              .formatted(model.source(), opset, OLDEST, NEWEST));
    }
  }
}
