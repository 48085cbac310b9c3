package dev.kvant.runtime.data;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.DataConfig;
import dev.kvant.api.DataException;
import dev.kvant.api.InputDescription;
import dev.kvant.api.Internal;
import dev.kvant.api.InvalidConfigurationException;
import dev.kvant.api.UnavailableException;
import dev.kvant.spi.Availability;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.DataReaderDescriptor;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.DataRequest;
import dev.kvant.spi.OptionDescriptor;
import dev.kvant.spi.Options;
import dev.kvant.spi.RegularFile;
import dev.kvant.validation.DataRules;
import dev.kvant.validation.NearestNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The data readers that are installed, of which one reads a data set: the one that the
 * configuration names, or the one that knows all its settings, or the one that recognizes the path.
 *
 * @since 0.1.0
 */
@Internal
public final class DataReaders {

  private final List<DataReaderProvider> readers;

  /**
   * @param readers the data readers
   */
  public DataReaders(Collection<? extends DataReaderProvider> readers) {
    this.readers = List.copyOf(readers);
  }

  /** The keys of {@code calibration} and {@code evaluation} that data readers have. */
  public Set<String> settings() {
    return readers.stream()
        .flatMap(reader -> keys(reader).stream())
        .map(key -> key.contains(".") ? key.substring(0, key.indexOf('.')) : key)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /**
   * All that is wrong with the settings of a data set, as far as that is known without reading it.
   * Data that is not there yet is no problem.
   *
   * @param section where they stand, as in {@code quantize.calibration}; empty for nowhere
   */
  public List<ConfigurationProblem> problems(String section, DataConfig data) {
    String prefix = section.isEmpty() ? "" : section + ".";
    String named = data.reader();
    if (named != null) {
      List<DataReaderProvider> found = named(named);
      return found.isEmpty()
          ? List.of(new ConfigurationProblem(prefix + "reader", unknown(named)))
          : DataRules.check(section, data, found.get(0));
    }
    List<DataReaderProvider> candidates = knowingAll(data.options().keySet());
    if (candidates.isEmpty()) {
      return misfits(section, data);
    }
    List<DataReaderProvider> recognizing = recognizing(candidates, data.path());
    if (recognizing.size() == 1) {
      return DataRules.check(section, data, recognizing.get(0));
    }
    return candidates.size() == 1 && !data.options().isEmpty()
        ? DataRules.check(section, data, candidates.get(0))
        : List.of();
  }

  /** No data reader knows all the settings. */
  private List<ConfigurationProblem> misfits(String section, DataConfig data) {
    String prefix = section.isEmpty() ? "" : section + ".";
    List<DataReaderProvider> knowingSome =
        readers.stream()
            .filter(reader -> data.options().keySet().stream().anyMatch(keys(reader)::contains))
            .toList();
    if (knowingSome.size() == 1) {
      return DataRules.check(section, data, knowingSome.get(0));
    }
    List<ConfigurationProblem> problems = new ArrayList<>();
    for (String key : data.options().keySet()) {
      List<String> owners =
          readers.stream()
              .filter(reader -> keys(reader).contains(key))
              .map(reader -> reader.descriptor().id())
              .toList();
      if (owners.isEmpty()) {
        List<String> nearest =
            NearestNames.of(key, readers.stream().flatMap(each -> keys(each).stream()).toList(), 1);
        problems.add(
            new ConfigurationProblem(
                prefix + key,
                nearest.isEmpty()
                    ? "is unknown; " + installed()
                    : "is unknown; did you mean '%s'?".formatted(nearest.get(0))));
      } else if (knowingSome.size() > 1) {
        problems.add(
            new ConfigurationProblem(
                prefix + key,
                "belongs to data reader '%s', and other settings here do not; name one in 'reader'"
                    .formatted(String.join("' and '", owners))));
      }
    }
    return problems;
  }

  /**
   * Opens a data set. The caller closes it.
   *
   * @param inputs the inputs of the model; empty if they are not known
   * @param remarks told what a person should know of the data
   * @throws InvalidConfigurationException if a setting is wrong
   * @throws DataException if there is nothing that can be read
   * @throws UnavailableException if the data reader cannot work here
   */
  DataReader open(DataConfig data, List<InputDescription> inputs, Consumer<String> remarks) {
    Path path = data.path();
    if (!Files.exists(path)) {
      throw new DataException("the data %s does not exist".formatted(path));
    }
    checkReadable(path);
    List<ConfigurationProblem> problems = problems("", data);
    if (!problems.isEmpty()) {
      throw new InvalidConfigurationException(problems);
    }
    DataReaderProvider reader = choose(data);
    DataReaderDescriptor descriptor = reader.descriptor();
    if (reader.availability() instanceof Availability.Unavailable unavailable) {
      throw new UnavailableException(
          "data reader '%s' cannot work here: %s".formatted(descriptor.id(), unavailable.reason()));
    }
    try {
      return reader.open(
          new DataRequest(path, Options.of(descriptor.options(), data.options()), inputs, remarks));
    } catch (IOException e) {
      throw new DataException("%s cannot be read: %s".formatted(path, e), e);
    }
  }

  private static void checkReadable(Path path) {
    try {
      if (!Files.isDirectory(path)) {
        RegularFile.check(path);
      }
    } catch (IOException e) {
      throw new DataException("the data %s cannot be read: %s".formatted(path, e), e);
    }
  }

  private DataReaderProvider choose(DataConfig data) {
    String named = data.reader();
    List<DataReaderProvider> candidates =
        named == null ? knowingAll(data.options().keySet()) : named(named);
    if (candidates.size() > 1 || (data.options().isEmpty() && named == null)) {
      candidates = recognizing(candidates, data.path());
    }
    if (candidates.isEmpty()) {
      throw new DataException(
          "%s is not data that can be read; %s".formatted(data.path(), installed()));
    }
    if (candidates.size() > 1) {
      throw new DataException(
          "the data readers %s all read %s; name one in 'reader'"
              .formatted(
                  candidates.stream()
                      .map(reader -> reader.descriptor().id())
                      .collect(Collectors.joining(", ")),
                  data.path()));
    }
    return candidates.get(0);
  }

  private List<DataReaderProvider> named(String id) {
    return readers.stream().filter(reader -> reader.descriptor().id().equals(id)).toList();
  }

  private List<DataReaderProvider> knowingAll(Set<String> settings) {
    return readers.stream().filter(reader -> keys(reader).containsAll(settings)).toList();
  }

  private static List<DataReaderProvider> recognizing(
      List<DataReaderProvider> candidates, Path path) {
    return candidates.stream().filter(reader -> recognizes(reader, path)).toList();
  }

  private static boolean recognizes(DataReaderProvider reader, Path path) {
    try {
      // Looking at the content of a pipe takes it away, or waits for it.
      return (Files.isRegularFile(path) || Files.isDirectory(path)) && reader.recognizes(path);
    } catch (IOException e) {
      throw new DataException("%s cannot be read: %s".formatted(path, e), e);
    }
  }

  private static List<String> keys(DataReaderProvider reader) {
    return reader.descriptor().options().stream().map(OptionDescriptor::key).toList();
  }

  private String unknown(String id) {
    @Nullable String nearest =
        NearestNames.of(id, ids().toList(), 1).stream().findFirst().orElse(null);
    return nearest == null
        ? "no data reader '%s' is installed; %s".formatted(id, installed())
        : "no data reader '%s' is installed; did you mean '%s'?".formatted(id, nearest);
  }

  private Stream<String> ids() {
    return readers.stream().map(reader -> reader.descriptor().id());
  }

  private String installed() {
    return readers.isEmpty()
        ? "no data reader is installed"
        : "data readers: "
            + readers.stream()
                .map(
                    reader ->
                        "%s (%s)"
                            .formatted(
                                reader.descriptor().id(),
                                withoutPeriod(reader.descriptor().description())))
                .collect(Collectors.joining(", "));
  }

  private static String withoutPeriod(String sentence) {
    String text = sentence.endsWith(".") ? sentence.substring(0, sentence.length() - 1) : sentence;
    return text.isEmpty() ? text : Character.toLowerCase(text.charAt(0)) + text.substring(1);
  }
}
