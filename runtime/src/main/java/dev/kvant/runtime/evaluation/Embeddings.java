package dev.kvant.runtime.evaluation;

import dev.kvant.api.DataException;
import dev.kvant.api.Internal;
import dev.kvant.api.Tensor;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.data.InputBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The embeddings of texts, one for each.
 *
 * @since 0.1.0
 */
@Internal
public final class Embeddings {

  private final RetrievalRequest request;
  private final List<double[]> vectors = new ArrayList<>();

  /**
   * No texts.
   *
   * @param request how outputs become embeddings
   */
  public Embeddings(RetrievalRequest request) {
    this.request = request;
  }

  /**
   * Adds the texts of a batch.
   *
   * @param outputs of which the first is [samples, positions, width] or [samples, width]
   * @throws UnsupportedModelException if it is of another shape
   */
  public void add(Map<String, Tensor> outputs, InputBatch batch) {
    Tensor output = outputs.values().iterator().next();
    vectors.addAll(request.pooling().embeddings(output, batch, request.normalized()));
  }

  /**
   * What a search in these finds beside one in those of the reference.
   *
   * @param reference the embeddings of the same texts
   * @throws DataException if a search would give all texts
   */
  public RetrievalSimilarity similarityTo(Embeddings reference) {
    return RetrievalSimilarity.of(reference.vectors, vectors, request.k());
  }
}
