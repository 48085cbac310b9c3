package dev.kvant.runtime.discovery;

import dev.kvant.api.ConfigurationProblem;
import dev.kvant.api.DataException;
import dev.kvant.spi.Availability;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.DataReaderDescriptor;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.DataRequest;
import dev.kvant.spi.Options;
import dev.kvant.spi.SampleBlock;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;

/** What reads data, behind a guard. It describes itself once. */
final class GuardedReaderProvider implements DataReaderProvider {

  private final DataReaderProvider provider;
  private final ProviderCall call;
  private final DataReaderDescriptor descriptor;

  GuardedReaderProvider(Provided<DataReaderProvider> provided) throws Undescribed {
    provider = provided.instance();
    call = new ProviderCall("data reader", provided);
    descriptor = call.describe("descriptor()", provider::descriptor);
  }

  @Override
  public DataReaderDescriptor descriptor() {
    return descriptor;
  }

  @Override
  public boolean recognizes(Path path) {
    return call.ask("recognizes()", reading(path, () -> provider.recognizes(path)));
  }

  /** A data reader that fails to tell cannot work. */
  @Override
  public Availability availability() {
    return call.availability(provider::availability);
  }

  @Override
  public List<ConfigurationProblem> validate(Options options) {
    return List.copyOf(call.ask("validate()", () -> provider.validate(options)));
  }

  @Override
  public DataReader open(DataRequest request) {
    return new GuardedReader(
        call.ask("open()", reading(request.path(), () -> provider.open(request))), request.path());
  }

  /** A file that cannot be read is not the provider's fault. */
  private static <T> Callable<T> reading(Path path, Callable<T> call) {
    return () -> {
      try {
        return call.call();
      } catch (IOException e) {
        throw new DataException("%s cannot be read: %s".formatted(path, e), e);
      }
    };
  }

  private final class GuardedReader implements DataReader {

    private final DataReader reader;
    private final Path path;

    GuardedReader(DataReader reader, Path path) {
      this.reader = reader;
      this.path = path;
    }

    @Override
    public OptionalLong count() {
      return call.ask("count()", reader::count);
    }

    @Override
    public Optional<SampleBlock> next(int most) {
      return call.ask("next()", reading(path, () -> reader.next(most)));
    }

    @Override
    public void close() {
      call.<Boolean>work(
          "close()",
          reading(
              path,
              () -> {
                reader.close();
                return true;
              }));
    }
  }
}
