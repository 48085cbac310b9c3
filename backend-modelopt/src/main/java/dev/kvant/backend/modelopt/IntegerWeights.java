package dev.kvant.backend.modelopt;

import dev.kvant.torch.ScriptRewriter;
import dev.kvant.torch.tensor.CopyProgress;

/**
 * Where int8 weights of an archive come to be.
 *
 * @param rewriter the archive
 * @param progress receives every block that is written
 */
record IntegerWeights(ScriptRewriter rewriter, CopyProgress progress) {

  /** The storage of a weight's codes, row-major, one byte each. */
  String codes(RoundedWeight weight) {
    return rewriter
        .storages()
        .add(weight.weight().elements(), channel -> weight.writeCodes(channel, progress));
  }

  /** The real value of one unit of the codes, for each output. */
  static double[] scales(RoundedWeight weight) {
    double[] scales = new double[Math.toIntExact(weight.weight().shape().get(0))];
    for (int row = 0; row < scales.length; row++) {
      scales[row] = 1.0 / weight.divisor(weight.ranges() == 1 ? 0 : row);
    }
    return scales;
  }
}
