package dev.kvant.cli;

import dev.kvant.api.Progress;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationWarning;
import dev.kvant.cli.output.ProgressBar;
import dev.kvant.cli.output.Screen;
import dev.kvant.cli.output.Style;
import java.util.HashSet;
import java.util.Set;

/** Shows progress and warnings as they come, each warning once. */
final class Reporter implements QuantizationListener, AutoCloseable {

  private final Screen screen;
  private final ProgressBar bar;
  private final Set<String> warned = new HashSet<>();

  Reporter(Screen screen) {
    this.screen = screen;
    this.bar = new ProgressBar(screen, System::nanoTime);
  }

  @Override
  public void onProgress(Progress progress) {
    bar.show(progress);
  }

  @Override
  public void onWarning(QuantizationWarning warning) {
    warn(warning.message());
  }

  /** Prints a warning. */
  void warn(String message) {
    if (warned.add(message)) {
      bar.clear();
      screen.paragraph("warning: ", Style.WARNING, message);
      screen.writer().flush();
    }
  }

  /** Takes the progress away, so that something else can be printed. */
  void done() {
    bar.clear();
  }

  @Override
  public void close() {
    done();
  }
}
