package dev.kvant.runtime.discovery;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.DataException;
import dev.kvant.api.ProviderException;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.DataReaderDescriptor;
import dev.kvant.spi.DataReaderProvider;
import dev.kvant.spi.DataRequest;
import dev.kvant.spi.Options;
import dev.kvant.spi.SampleBlock;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A data reader behind its guard")
class GuardedReaderProviderTest {

  private static final Path FILE = Path.of("rows.bin");

  /** What a data reader does whatever it is asked. */
  @FunctionalInterface
  private interface Behaviour {
    boolean act() throws IOException;
  }

  /** A data reader of one behaviour; what is false is null where there is no truth value. */
  private static final class Rows implements DataReaderProvider, DataReader {

    private final Behaviour behaviour;

    Rows(Behaviour behaviour) {
      this.behaviour = behaviour;
    }

    @Override
    public DataReaderDescriptor descriptor() {
      return new DataReaderDescriptor("rows", "Reads rows.", List.of());
    }

    @Override
    public boolean recognizes(Path path) throws IOException {
      return behaviour.act();
    }

    @Override
    public DataReader open(DataRequest request) {
      return this;
    }

    @Override
    public OptionalLong count() {
      return OptionalLong.empty();
    }

    @Override
    @SuppressWarnings("NullAway")
    public Optional<SampleBlock> next(int most) throws IOException {
      return behaviour.act() ? Optional.empty() : null;
    }

    @Override
    public void close() throws IOException {
      behaviour.act();
    }
  }

  private static GuardedReaderProvider guarded(Behaviour behaviour) throws Undescribed {
    return new GuardedReaderProvider(Provided.of(new Rows(behaviour)));
  }

  private static DataReader opened(Behaviour behaviour) throws Undescribed {
    return guarded(behaviour)
        .open(new DataRequest(FILE, Options.of(List.of(), Map.of()), List.of(), remark -> {}));
  }

  @Test
  void that_gives_null_is_named() throws Undescribed {
    DataReader reader = opened(() -> false);

    assertThatThrownBy(() -> reader.next(1))
        .isInstanceOf(ProviderException.class)
        .hasMessageStartingWith("data reader " + Rows.class.getName())
        .hasMessageEndingWith("next() returned null");
  }

  @Test
  void that_fails_by_itself_is_named() throws Undescribed {
    DataReader reader =
        opened(
            () -> {
              throw new IndexOutOfBoundsException("7");
            });

    assertThatThrownBy(() -> reader.next(1))
        .isInstanceOf(ProviderException.class)
        .hasMessageContaining("next() failed: IndexOutOfBoundsException: 7");
  }

  @Test
  void that_cannot_read_a_file_is_not_blamed() throws Undescribed {
    Behaviour denied =
        () -> {
          throw new IOException("permission denied");
        };
    DataReader reader = opened(denied);
    GuardedReaderProvider provider = guarded(denied);

    String message = "rows.bin cannot be read: java.io.IOException: permission denied";
    assertThatThrownBy(() -> reader.next(1)).isInstanceOf(DataException.class).hasMessage(message);
    assertThatThrownBy(reader::close).isInstanceOf(DataException.class).hasMessage(message);
    assertThatThrownBy(() -> provider.recognizes(FILE))
        .isInstanceOf(DataException.class)
        .hasMessage(message);
  }

  @Test
  void says_of_what_the_data_is_wrong() throws Undescribed {
    DataReader reader =
        opened(
            () -> {
              throw new DataException("line 3 of rows.bin is empty");
            });

    assertThatThrownBy(() -> reader.next(1))
        .isInstanceOf(DataException.class)
        .hasMessage("line 3 of rows.bin is empty");
  }
}
