package dev.kvant.runtime.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kvant.api.ProviderException;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.api.QuantizationException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("A call into a provider")
class ProviderCallTest {

  private final ProviderCall call = new ProviderCall("backend", Provided.of(this));
  private final String provider =
      "backend %s (%s): ".formatted(getClass().getName(), Location.of(getClass()));

  /** Throws a checked exception without declaring it, as Kotlin does. */
  @SuppressWarnings("unchecked")
  private static <T extends Throwable> void throwing(Throwable thrown) throws T {
    throw (T) thrown;
  }

  @Test
  void gives_what_the_provider_gave() {
    assertThat(call.<String>ask("ids()", () -> "given")).isEqualTo("given");
    assertThat(call.<String>work("save()", () -> "given")).isEqualTo("given");
  }

  @Test
  void that_gives_null_names_provider_jar_and_method() {
    assertThatThrownBy(() -> call.<String>ask("ids()", () -> null))
        .isInstanceOf(ProviderException.class)
        .hasMessage(provider + "ids() returned null");
    assertThatThrownBy(() -> call.<String>work("save()", () -> null))
        .isInstanceOf(ProviderException.class)
        .hasMessage(provider + "save() returned null");
  }

  static List<Throwable> whatNobodyMayThrow() {
    return List.of(
        new IOException("no space"),
        new NoClassDefFoundError("some/Missing"),
        new UnsatisfiedLinkError("libx"),
        new ExceptionInInitializerError("never"),
        new StackOverflowError(),
        new AssertionError("never"));
  }

  @ParameterizedTest
  @MethodSource("whatNobodyMayThrow")
  void that_throws_a_checked_exception_or_an_error_names_provider_jar_and_method(Throwable thrown) {
    String message = provider + "save() failed: " + FailureReason.of(thrown, null);

    assertThatThrownBy(() -> call.work("save()", () -> throwing(thrown)))
        .isInstanceOf(ProviderException.class)
        .hasMessage(message)
        .hasCause(thrown);
    assertThatThrownBy(
            () ->
                call.ask(
                    "save()",
                    () -> {
                      throwing(thrown);
                      return "never";
                    }))
        .isInstanceOf(ProviderException.class)
        .hasMessage(message);
  }

  @Test
  void that_asks_the_provider_alone_converts_runtime_exceptions_too() {
    assertThatThrownBy(() -> call.<String>ask("ids()", () -> List.<String>of().get(0)))
        .isInstanceOf(ProviderException.class)
        .hasMessageStartingWith(provider + "ids() failed: ArrayIndexOutOfBoundsException");
  }

  static List<Throwable> whatMayComeFromElsewhere() {
    return List.of(
        new IllegalStateException("thrown by a listener"),
        new UncheckedIOException("cannot write", new IOException("no space")),
        new QuantizationException("a weight is not finite"),
        new OutOfMemoryError("Java heap space"));
  }

  @ParameterizedTest
  @MethodSource("whatMayComeFromElsewhere")
  void that_works_lets_pass_what_may_come_from_elsewhere(Throwable thrown) {
    assertThatThrownBy(() -> call.work("save()", () -> throwing(thrown))).isSameAs(thrown);
  }

  @Test
  void that_is_interrupted_is_cancelled_and_the_thread_stays_interrupted() {
    assertThatThrownBy(() -> call.work("save()", () -> throwing(new InterruptedException())))
        .isInstanceOf(QuantizationCancelledException.class)
        .hasMessage(provider + "save() was interrupted");
    assertThat(Thread.interrupted()).isTrue();
  }
}
