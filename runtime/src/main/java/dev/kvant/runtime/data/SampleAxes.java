package dev.kvant.runtime.data;

import dev.kvant.api.DataException;
import dev.kvant.api.InputDescription;
import dev.kvant.spi.DataReader;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Tells the arrays of a file whose first axis counts the samples from those that hold for all
 * samples alike.
 *
 * <p>A single value holds for all samples, and so does an array that the configuration names. An
 * array whose input has a fixed first dimension and that fits this input as it is may hold for all;
 * it does when it has not as many rows as the others.
 *
 * @param samples the number of samples
 * @param shared the names of the arrays that hold for all samples
 */
record SampleAxes(long samples, Set<String> shared) {

  /**
   * Compares arrays with the inputs of a model.
   *
   * @param shapes the shapes of the arrays by name, at least one
   * @param named the arrays that the configuration names as shared
   * @param inputs the inputs; empty if they are not known
   * @param file what to call the file in errors
   * @throws DataException if the number of samples cannot be told
   */
  static SampleAxes of(
      Map<String, List<Long>> shapes,
      List<String> named,
      List<InputDescription> inputs,
      String file) {
    Set<String> shared = new LinkedHashSet<>();
    Map<String, Long> lengths = new LinkedHashMap<>();
    Set<String> fitting = new LinkedHashSet<>();
    InputNames names = new InputNames(inputs, shapes.keySet());
    shapes.forEach(
        (name, shape) -> {
          if (shape.isEmpty() || named.contains(name)) {
            shared.add(name);
            return;
          }
          lengths.put(name, shape.get(0));
          InputDescription input = names.input(name);
          if (input != null && input.fixedSize(0).isPresent() && input.fits(shape)) {
            fitting.add(name);
          }
        });
    if (shared.contains(DataReader.LABEL) || lengths.isEmpty()) {
      throw new DataException(
          "array '%s' of %s is a single value; its first axis must count the samples"
              .formatted(
                  shared.contains(DataReader.LABEL) ? DataReader.LABEL : shared.iterator().next(),
                  file));
    }
    String decisive = decisive(lengths, fitting);
    long samples = length(lengths, decisive);
    @Nullable Long batch = batch(lengths.keySet(), fitting, names);
    for (String name : lengths.keySet()) {
      if (length(lengths, name) != samples) {
        if (!fitting.contains(name)) {
          throw new DataException(
              ("the arrays of %s differ in length: '%s' has %d samples, '%s' has %d; if one of them"
                      + " holds for all samples alike, name it in 'shared'")
                  .formatted(file, decisive, samples, name, length(lengths, name)));
        }
        shared.add(name);
      } else if (fitting.contains(name) && batch != null && batch != samples) {
        // As many rows as there are samples only by chance: the model runs other numbers at once.
        shared.add(name);
      }
    }
    return new SampleAxes(samples, shared);
  }

  /** The array whose length is the number of samples. */
  private static String decisive(Map<String, Long> lengths, Set<String> fitting) {
    if (lengths.containsKey(DataReader.LABEL)) {
      return DataReader.LABEL;
    }
    String longest = lengths.keySet().iterator().next();
    for (String name : lengths.keySet()) {
      if (!fitting.contains(name)) {
        return name;
      }
      longest = length(lengths, name) > length(lengths, longest) ? name : longest;
    }
    return longest;
  }

  /** How many samples an input takes that is certainly fed sample by sample; null for any. */
  private static @Nullable Long batch(
      Set<String> candidates, Set<String> fitting, InputNames names) {
    for (String name : candidates) {
      InputDescription input = names.input(name);
      if (input != null && !fitting.contains(name) && input.fixedSize(0).isPresent()) {
        return input.fixedSize(0).getAsLong();
      }
    }
    return null;
  }

  private static long length(Map<String, Long> lengths, String name) {
    return Objects.requireNonNull(lengths.get(name), name);
  }
}
