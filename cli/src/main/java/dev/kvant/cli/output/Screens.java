package dev.kvant.cli.output;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;

/**
 * The two streams of a command: results go to the first, everything else to the second.
 *
 * @param out results
 * @param err progress, warnings and errors
 * @since 0.1.0
 */
public record Screens(Screen out, Screen err) {

  /**
   * Which of the streams {@code out} and {@code err} are terminals. Java can detect only whether
   * all are, so the start script sets this system property. Without it, none is.
   */
  public static final String TERMINALS_PROPERTY = "kvant.terminals";

  /** The width of the terminal. */
  public static final String COLUMNS_PROPERTY = "kvant.columns";

  private static final int DEFAULT_COLUMNS = 80;

  public Screens {
    Objects.requireNonNull(out, "out");
    Objects.requireNonNull(err, "err");
  }

  /** The streams of this process. */
  public static Screens ofProcess(Map<String, String> environment, Properties properties) {
    return new Screens(
        screen(FileDescriptor.out, "out", environment, properties),
        screen(FileDescriptor.err, "err", environment, properties));
  }

  private static Screen screen(
      FileDescriptor descriptor,
      String name,
      Map<String, String> environment,
      Properties properties) {
    Charset charset = charset(name, properties);
    var writer =
        new PrintWriter(new OutputStreamWriter(new FileOutputStream(descriptor), charset), false);
    return screen(writer, charset, name, environment, properties);
  }

  /** A screen as the environment describes it. */
  static Screen screen(
      PrintWriter writer,
      Charset charset,
      String name,
      Map<String, String> environment,
      Properties properties) {
    boolean terminal = properties.getProperty(TERMINALS_PROPERTY, "").contains(name);
    boolean capable = terminal && !"dumb".equals(environment.get("TERM"));
    boolean coloured = capable && environment.getOrDefault("NO_COLOR", "").isEmpty();
    boolean unicode = charset.newEncoder().canEncode("─█…→");
    return new Screen(
        writer, capable, coloured, unicode, columns(terminal, environment, properties));
  }

  private static int columns(
      boolean terminal, Map<String, String> environment, Properties properties) {
    for (String said :
        new String[] {environment.get("COLUMNS"), properties.getProperty(COLUMNS_PROPERTY)}) {
      if (said != null && said.matches("[1-9]\\d{0,4}")) {
        return Integer.parseInt(said);
      }
    }
    return terminal ? DEFAULT_COLUMNS : Screen.UNLIMITED;
  }

  private static Charset charset(String name, Properties properties) {
    for (String key :
        new String[] {
          "std" + name + ".encoding", "sun.std" + name + ".encoding", "native.encoding"
        }) {
      String charset = properties.getProperty(key);
      if (charset != null && Charset.isSupported(charset)) {
        return Charset.forName(charset);
      }
    }
    return StandardCharsets.UTF_8;
  }
}
