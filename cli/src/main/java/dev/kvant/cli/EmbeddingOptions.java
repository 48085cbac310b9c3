package dev.kvant.cli;

import dev.kvant.runtime.evaluation.Pooling;
import dev.kvant.runtime.evaluation.RetrievalRequest;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How the outputs of encoders become embeddings, and how many texts a search in them gives. */
final class EmbeddingOptions {

  @Option(
      names = "--embeddings",
      paramLabel = "POOLING",
      description =
          "For encoders: compares what a search in the embeddings finds with what it finds in those"
              + " of the reference. mean: the mean of the tokens that attention_mask keeps; cls:"
              + " the first token.")
  private @Nullable String pooling;

  @Option(
      names = "--no-normalize",
      description = "Do not divide embeddings by their Euclidean norms.")
  private boolean notNormalized;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      defaultValue = "" + RetrievalRequest.DEFAULT_K,
      description = "How many texts a search gives. Default: ${DEFAULT-VALUE}.")
  private int topK;

  /** Whether embeddings are asked for. */
  boolean isGiven() {
    return pooling != null;
  }

  /** What is wrong with them. */
  Optional<String> problem() {
    if (topK < 1) {
      return Optional.of("--top-k must be at least 1, not " + topK);
    }
    return pooling == null || pooling.equals("mean") || pooling.equals("cls")
        ? Optional.empty()
        : Optional.of("--embeddings must be mean or cls, not '%s'".formatted(pooling));
  }

  /** What they ask for; the mean where no pooling is given. */
  RetrievalRequest request() {
    return new RetrievalRequest(
        "cls".equals(pooling) ? Pooling.CLS : Pooling.MEAN, !notNormalized, topK);
  }
}
