package dev.kvant.runtime.evaluation;

import dev.kvant.api.DataException;
import dev.kvant.api.Tensor;
import dev.kvant.api.UnsupportedModelException;
import dev.kvant.runtime.data.InputBatch;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The character error rate of texts that are read by CTC: {@code Σ distance / Σ length} over all
 * samples, with the {@link EditDistance} to the text of the label and the length of that.
 */
final class TextMeter implements AccuracyMeter {

  private static final int AXES = 3;

  private long edits;
  private long characters;

  /**
   * Reads one batch.
   *
   * @param outputs of which the first is [samples, steps, alphabet] or [steps, samples, alphabet]
   * @param labels positions in the alphabet, [samples, longest], negative ones fill up
   */
  @Override
  public void add(Map<String, Tensor> outputs, Tensor labels, InputBatch batch) {
    Tensor output = outputs.values().iterator().next();
    List<Long> shape = output.shape();
    boolean samplesFirst = shape.size() == AXES && shape.get(0) == batch.rows();
    if (!samplesFirst && (shape.size() != AXES || shape.get(1) != batch.rows())) {
      throw new UnsupportedModelException(
          "labels: text needs an output of shape [samples, steps, alphabet] or [steps, samples, alphabet], but the first output has shape %s for %d samples"
              .formatted(shape, batch.rows()));
    }
    if (labels.elementType().isFloatingPoint()
        || labels.shape().size() != 2
        || labels.shape().get(0) != batch.samples()) {
      throw new DataException(
          "with labels: text, 'label' must be integers of shape [samples, longest], but is %s for %d samples"
              .formatted(labels, batch.samples()));
    }
    int alphabet = Math.toIntExact(shape.get(2));
    int steps = Math.toIntExact(shape.get(samplesFirst ? 1 : 0));
    int stride = samplesFirst ? alphabet : batch.rows() * alphabet;
    float[] values = output.toFloats();
    long[] texts = labels.toLongs();
    int longest = Math.toIntExact(labels.shape().get(1));
    for (int sample = 0; sample < batch.samples(); sample++) {
      int from = sample * (samplesFirst ? steps * alphabet : alphabet);
      int[] expected =
          Arrays.stream(texts, sample * longest, (sample + 1) * longest)
              .filter(position -> position >= 0)
              .mapToInt(Math::toIntExact)
              .toArray();
      edits +=
          EditDistance.between(CtcDecoder.decode(values, from, steps, stride, alphabet), expected);
      characters += expected.length;
    }
  }

  @Override
  public Map<Figure, Double> figures() {
    return Map.of(Figure.CER, edits == 0 ? 0.0 : (double) edits / characters);
  }
}
