package dev.kvant.backend.modelopt;

import dev.kvant.numerics.observer.Histogram;
import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleInt;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.script.ScriptType;
import java.util.List;

/**
 * Changes a class of an archive's code so that its instances observe what they are called with.
 *
 * <p>Every call looks at its input before anything else does, and what it finds goes at once into
 * the smallest and largest value and into a histogram of the instance. So memory does not grow with
 * the data, and what happens to the input afterwards, in place even, changes nothing. Bins are
 * those of {@link Histogram}: {@code 2^exponent} wide, doubled when a larger magnitude comes.
 */
final class ObservedClass {

  /** How much of its input an instance observes. */
  enum Level {
    NOTHING(0),
    EXTREMES(1),
    DISTRIBUTION(2);

    /** What stands for it in the archive. */
    private final int number;

    Level(int number) {
      this.number = number;
    }
  }

  private static final int BINS = Histogram.BINS;
  private static final int LOG_BINS = Integer.numberOfTrailingZeros(BINS);

  /** As many values as are counted at once, which takes a few MB beside them. */
  private static final int PIECE = 1 << 18;

  private final ScriptType type;
  private final String level;
  private final String low;
  private final String high;
  private final String exponent;
  private final String counts;

  private ObservedClass(ScriptType type) {
    this.type = type;
    this.level = type.unusedName("observed_level");
    this.low = type.unusedName("observed_low");
    this.high = type.unusedName("observed_high");
    this.exponent = type.unusedName("observed_exponent");
    this.counts = type.unusedName("observed_counts");
  }

  /** Changes a class. */
  static ObservedClass change(ScriptType type, List<ForwardMethod> methods) {
    var observed = new ObservedClass(type);
    observed.change(methods);
    return observed;
  }

  /** The attribute with the smallest value. */
  String low() {
    return low;
  }

  /** The attribute with the largest value. */
  String high() {
    return high;
  }

  /** The attribute with the exponent of the bins' width. */
  String exponent() {
    return exponent;
  }

  /** The attribute with the number of values in each bin. */
  String counts() {
    return counts;
  }

  /**
   * Sets an instance's attributes.
   *
   * @param infinity a tensor of no dimension with that value
   * @param negativeInfinity the same with the other sign
   * @param zeros int64, one for each bin
   */
  void initialize(
      PickleDict attributes,
      Level wanted,
      PickleObject infinity,
      PickleObject negativeInfinity,
      PickleObject zeros) {
    attributes.put(level, PickleInt.of(wanted.number));
    attributes.put(low, infinity);
    attributes.put(high, negativeInfinity);
    attributes.put(exponent, PickleInt.of(Histogram.SMALLEST_EXPONENT));
    attributes.put(counts, zeros);
  }

  private void change(List<ForwardMethod> methods) {
    type.addAttribute(level, "int");
    type.addAttribute(low, "Tensor");
    type.addAttribute(high, "Tensor");
    type.addAttribute(exponent, "int");
    type.addAttribute(counts, "Tensor");
    String widen = type.unusedName("widen_observed");
    type.addMethod(widen, "exponent: int", "NoneType", widening());
    String observe = type.unusedName("observe_input");
    type.addMethod(observe, "input: Tensor", "NoneType", observing(widen));
    for (ForwardMethod method : methods) {
      type.insertFirst(method.name(), "(self).%s(%s, )".formatted(observe, method.input()));
    }
  }

  /**
   * The bin of a value is what is left of value and width when the fraction is cut off, which the
   * conversion to int16 (scalar type 2) does, and one more away from zero, which is for zeros
   * alone.
   */
  private String observing(String widen) {
    return """
    if torch.gt(self.%1$s, 0):
      values = torch.reshape(torch.to(torch.detach(input), 6), [-1])
      if torch.gt(torch.numel(values), 0):
        low, high = torch.aminmax(values)
        self.%2$s = torch.minimum(self.%2$s, low)
        self.%3$s = torch.maximum(self.%3$s, high)
        largest = float(torch.maximum(torch.neg(low), high))
        isCounted = torch.le(largest, 3.4028234663852886e+38)
        if torch.gt(self.%1$s, 1):
          if isCounted:
            if torch.gt(largest, 0.):
              mantissa, power = torch.frexp(largest)
              needed = ops.prim.max(torch.sub(power, %6$d), %7$d)
            else:
              needed = %7$d
            (self).%8$s(needed, )
            scale = torch.ldexp(1., torch.neg(self.%4$s))
            for part in torch.split(values, %9$d):
              places = torch.to(torch.mul(part, scale), 2)
              signs = torch.to(torch.sign(part), 2)
              places = torch.add_(torch.add_(places, signs), %10$d)
              self.%5$s = torch.add(self.%5$s, torch.bincount(places, None, %11$d))
    return None
    """
        .formatted(
            level,
            low,
            high,
            exponent,
            counts,
            LOG_BINS,
            Histogram.SMALLEST_EXPONENT,
            widen,
            PIECE,
            BINS,
            2 * BINS + 1);
  }

  private String widening() {
    return """
    shift = torch.sub(exponent, self.%1$s)
    if torch.gt(shift, 0):
      group = torch.__lshift__(1, ops.prim.min(shift, %3$d))
      rest = torch.sub(%4$d, torch.floordiv(%4$d, group))
      counts = self.%2$s
      negative = torch.sum(torch.reshape(torch.slice(counts, 0, 0, %4$d), [-1, group]), [1])
      zeros = torch.slice(counts, 0, %4$d, %5$d)
      positive = torch.sum(torch.reshape(torch.slice(counts, 0, %5$d, %6$d), [-1, group]), [1])
      left = torch.constant_pad_nd(negative, [rest, 0])
      right = torch.constant_pad_nd(positive, [0, rest])
      self.%2$s = torch.cat([left, zeros, right])
      self.%1$s = exponent
    return None
    """
        .formatted(exponent, counts, LOG_BINS, BINS, BINS + 1, 2 * BINS + 1);
  }
}
