package dev.kvant.cli;

import dev.kvant.cli.output.Screens;
import java.util.List;

/**
 * The entry point of the process.
 *
 * @since 0.1.0
 */
public final class Main {

  private static final String LOG_LEVEL = "org.slf4j.simpleLogger.defaultLogLevel";

  private static final String JAVA_LOGGING = "java.util.logging.config.class";

  private Main() {}

  /** Runs one command and ends the process with its exit code. */
  public static void main(String[] arguments) {
    logs(List.of(arguments).contains("--verbose"));
    Screens screens = Screens.ofProcess(System.getenv(), System.getProperties());
    Installations installations = Installations.ofProcess(System.getenv(), System.getProperties());
    Interruption interruption =
        Interruption.byCtrlC(Thread.currentThread(), screens.err(), System.getProperties());
    int code = ExitCode.FAILED;
    try {
      code = new Cli(screens, installations).run(arguments);
    } finally {
      // Whatever happened, nobody need wait for the work any more.
      interruption.workIsDone();
    }
    System.exit(code);
  }

  /**
   * What libraries log is for those who look for a cause; must be said before the first of them.
   */
  private static void logs(boolean wanted) {
    if (System.getProperty(LOG_LEVEL) == null) {
      System.setProperty(LOG_LEVEL, wanted ? "info" : "off");
    }
    // Hibernate Validator would greet through java.util.logging.
    System.setProperty("org.jboss.logging.provider", "slf4j");
    // ONNX Runtime would print stack traces through it.
    if (!wanted && System.getProperty(JAVA_LOGGING) == null) {
      System.setProperty(JAVA_LOGGING, SilentLogging.class.getName());
    }
  }
}
