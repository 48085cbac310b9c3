package dev.kvant.backend.modelopt;

import dev.kvant.api.NonFiniteValues;
import dev.kvant.numerics.observer.Histogram;
import dev.kvant.spi.Observation;
import dev.kvant.torch.pickle.PickleBool;
import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleInt;
import dev.kvant.torch.pickle.PickleObject;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * A module for archives that observes what another one is called with.
 *
 * <p>What it finds goes at once into the smallest and largest value and into a histogram of its
 * own. So memory does not grow with the data, and what happens to the input afterwards, in place
 * even, changes nothing. Bins are those of {@link Histogram}: {@code 2^exponent} wide, doubled when
 * a larger magnitude comes.
 *
 * <p>One class serves all modules of an archive, since libtorch compiles every class that it loads.
 */
final class InputObserver {

  /** The class. */
  static final PickleGlobal TYPE = new PickleGlobal("__torch__.kvant_calibration", "InputObserver");

  /** The record with its code. */
  static final String RECORD = "code/__torch__/kvant_calibration.py";

  /** The method that takes an input. */
  static final String OBSERVE = "observe";

  /** The attribute with the smallest value. */
  static final String LOW = "low";

  /** The attribute with the largest value. */
  static final String HIGH = "high";

  /** The attribute with the exponent of the bins' width. */
  static final String EXPONENT = "exponent";

  /** The attribute with the number of values in each bin. */
  static final String COUNTS = "counts";

  /** The attribute with the number of values that were left out. */
  static final String IGNORED = "ignored";

  private static final int BINS = Histogram.BINS;
  private static final int LOG_BINS = Integer.numberOfTrailingZeros(BINS);

  /** As many values as are counted at once, which takes a few MB beside them. */
  private static final int PIECE = 1 << 18;

  private InputObserver() {}

  /**
   * An instance that has seen nothing.
   *
   * @param observation how much of its input it observes; empty for nothing
   * @param nonFinite whether values that are not finite are left out, or make both ends of the
   *     range so
   * @param infinity a tensor of no dimension with that value
   * @param negativeInfinity the same with the other sign
   * @param zeros int64, one for each bin
   */
  static PickleObject instance(
      Optional<Observation> observation,
      NonFiniteValues nonFinite,
      PickleObject infinity,
      PickleObject negativeInfinity,
      PickleObject zeros) {
    var attributes = new PickleDict();
    attributes.put("training", new PickleBool(false));
    attributes.put("level", PickleInt.of(observation.map(Observation::ordinal).orElse(-1) + 1));
    attributes.put("ignoring", new PickleBool(nonFinite == NonFiniteValues.IGNORE));
    attributes.put(IGNORED, PickleInt.of(0));
    attributes.put(LOW, infinity);
    attributes.put(HIGH, negativeInfinity);
    attributes.put(EXPONENT, PickleInt.of(Histogram.SMALLEST_EXPONENT));
    attributes.put(COUNTS, zeros);
    return PickleObject.instance(TYPE, attributes);
  }

  /**
   * The class as text.
   *
   * <p>The bin of a value is what is left of value and width when the fraction is cut off, which
   * the conversion to int16 (scalar type 2) does, and one more away from zero, which is for zeros
   * alone.
   */
  static byte[] code() {
    return """
    class InputObserver(Module):
      __parameters__ = []
      __buffers__ = []
      training : bool
      level : int
      ignoring : bool
      ignored : int
      low : Tensor
      high : Tensor
      exponent : int
      counts : Tensor
      def observe(self: __torch__.kvant_calibration.InputObserver,
        input: Tensor) -> NoneType:
        if torch.gt(self.level, 0):
          values = torch.reshape(torch.to(torch.detach(input), 6), [-1])
          if self.ignoring:
            finite = torch.masked_select(values, torch.isfinite(values))
            others = torch.sub(torch.numel(values), torch.numel(finite))
            self.ignored = torch.add(self.ignored, others)
            values = finite
          if torch.gt(torch.numel(values), 0):
            low, high = torch.aminmax(values)
            self.low = torch.minimum(self.low, low)
            self.high = torch.maximum(self.high, high)
            largest = float(torch.maximum(torch.neg(low), high))
            isCounted = torch.le(largest, 3.4028234663852886e+38)
            if torch.gt(self.level, 1):
              if isCounted:
                if torch.gt(largest, 0.):
                  mantissa, power = torch.frexp(largest)
                  needed = ops.prim.max(torch.sub(power, %1$s), %2$s)
                else:
                  needed = %2$s
                (self).widen(needed, )
                scale = torch.ldexp(1., torch.neg(self.exponent))
                for part in torch.split(values, %3$s):
                  places = torch.to(torch.mul(part, scale), 2)
                  signs = torch.to(torch.sign(part), 2)
                  places = torch.add_(torch.add_(places, signs), %4$s)
                  self.counts = torch.add(self.counts, torch.bincount(places, None, %6$s))
        return None
      def widen(self: __torch__.kvant_calibration.InputObserver,
        exponent: int) -> NoneType:
        shift = torch.sub(exponent, self.exponent)
        if torch.gt(shift, 0):
          group = torch.__lshift__(1, ops.prim.min(shift, %1$s))
          rest = torch.sub(%4$s, torch.floordiv(%4$s, group))
          counts = self.counts
          negative = torch.sum(torch.reshape(torch.slice(counts, 0, 0, %4$s), [-1, group]), [1])
          zeros = torch.slice(counts, 0, %4$s, %5$s)
          positive = torch.sum(torch.reshape(torch.slice(counts, 0, %5$s, %6$s), [-1, group]), [1])
          left = torch.constant_pad_nd(negative, [rest, 0])
          right = torch.constant_pad_nd(positive, [0, rest])
          self.counts = torch.cat([left, zeros, right])
          self.exponent = exponent
        return None
    """
        .formatted(LOG_BINS, Histogram.SMALLEST_EXPONENT, PIECE, BINS, BINS + 1, 2 * BINS + 1)
        .getBytes(StandardCharsets.UTF_8);
  }
}
