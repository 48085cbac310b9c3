package dev.kvant.runtime.discovery;

import dev.kvant.api.Internal;
import dev.kvant.api.KvantException;
import dev.kvant.api.ProviderException;
import dev.kvant.api.QuantizationCancelledException;
import dev.kvant.spi.Availability;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * The guard around every call into a provider: what a provider must not return or throw becomes a
 * {@link ProviderException} that names the provider, its jar and the method.
 *
 * <p>That is null, a list that contains null, a checked exception (which Kotlin and other languages
 * throw without declaring it), and an error such as a missing class. An {@link OutOfMemoryError} is
 * nobody's fault and passes, and so does a {@link KvantException}, which is written for a person.
 * Other runtime exceptions are converted by {@link #ask}, where nothing but the provider's own code
 * runs. They pass through {@link #work}, where they may come from a listener or from data of the
 * application.
 *
 * @since 0.1.0
 */
@Internal
public final class ProviderCall {

  private static final String UNDESCRIBED = "it cannot describe itself: ";

  private final String kind;
  private final Provided<?> provided;

  /**
   * @param kind what the provider is, as in {@code backend}
   * @param provided the provider
   */
  public ProviderCall(String kind, Provided<?> provided) {
    this.kind = kind;
    this.provided = provided;
  }

  /**
   * Asks the provider something that it answers by itself.
   *
   * @param method what is called, as in {@code descriptor()}
   * @throws ProviderException if the answer is null, or is an exception or error
   */
  public <T> T ask(String method, Callable<? extends @Nullable T> call) {
    try {
      return work(method, call);
    } catch (KvantException e) {
      throw e;
    } catch (RuntimeException e) {
      throw failed(method, e);
    }
  }

  /**
   * Has the provider do something in which others take part.
   *
   * @param method what is called, as in {@code save()}
   * @throws ProviderException if the result is null, or a checked exception or error
   */
  public <T> T work(String method, Callable<? extends @Nullable T> call) {
    T result = call(method, call);
    if (result == null) {
      throw returned(method, "null");
    }
    if (result instanceof List<?> list && list.stream().anyMatch(Objects::isNull)) {
      throw returned(method, "a list that contains null");
    }
    return result;
  }

  /** Asks the provider what it is, as {@link #ask} does. */
  <T> T describe(String method, Callable<? extends @Nullable T> call) throws Undescribed {
    try {
      return ask(method, call);
    } catch (ProviderException e) {
      Throwable cause = e.getCause();
      String reason =
          cause == null ? e.getMessage().substring((this + ": ").length()) : reason(cause);
      throw new Undescribed(UNDESCRIBED + reason, cause == null ? e : cause);
    } catch (KvantException e) {
      throw new Undescribed(UNDESCRIBED + reason(e), e);
    }
  }

  /** Whether the provider can work on this machine; one that fails to tell cannot. */
  Availability availability(Callable<? extends @Nullable Availability> call) {
    try {
      return ask("availability()", call);
    } catch (KvantException e) {
      return Availability.unavailable(e.getMessage());
    }
  }

  /** The same for what has no result. */
  public void work(String method, Runnable call) {
    this.<@Nullable Void>call(
        method,
        () -> {
          call.run();
          return null;
        });
  }

  // Kotlin and others throw checked exceptions where none is declared.
  @SuppressWarnings("InterruptedExceptionSwallowed")
  private <T> @Nullable T call(String method, Callable<? extends @Nullable T> call) {
    try {
      return call.call();
    } catch (RuntimeException | OutOfMemoryError e) {
      throw e;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new QuantizationCancelledException("%s: %s was interrupted".formatted(this, method), e);
    } catch (Exception | Error e) {
      throw failed(method, e);
    }
  }

  private ProviderException failed(String method, Throwable thrown) {
    return new ProviderException(
        "%s: %s failed: %s".formatted(this, method, reason(thrown)), thrown);
  }

  private ProviderException returned(String method, String what) {
    return new ProviderException("%s: %s returned %s".formatted(this, method, what));
  }

  private String reason(Throwable thrown) {
    return FailureReason.of(thrown, provided.type().getClassLoader());
  }

  /** What is called, for a message. */
  @Override
  public String toString() {
    return kind + " " + provided;
  }
}
