package dev.kvant.runtime.tuning;

import dev.kvant.api.Experimental;
import dev.kvant.runtime.evaluation.OutputSimilarity;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How good an artifact is on some samples.
 *
 * @param similarity the similarity of its outputs to those of the source
 * @param top1 the share of samples that it classifies as labelled, 0 to 1; null without labels
 * @param drop what is lost: with labels the top-1 of the source minus that of the artifact, else 1
 *     minus the mean cosine similarity; NaN if an output is
 * @param recall the share of what a search in the embeddings of the source finds that one in those
 *     of the artifact finds too, 0 to 1; NaN if an output is; null if no embeddings are compared
 * @since 0.1.0
 */
@Experimental
public record Accuracy(
    OutputSimilarity similarity, @Nullable Double top1, double drop, @Nullable Double recall) {

  /** Checks the components. */
  public Accuracy {
    Objects.requireNonNull(similarity, "similarity");
  }
}
