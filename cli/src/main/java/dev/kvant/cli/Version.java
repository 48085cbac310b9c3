package dev.kvant.cli;

import dev.kvant.spi.JarVersion;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints. */
final class Version implements IVersionProvider {

  /** The version of the jar, or a word where classes come from a folder. */
  static String number() {
    return JarVersion.of(Version.class);
  }

  @Override
  public String[] getVersion() {
    return new String[] {
      "kvant " + number(),
      "Java %s, %s %s"
          .formatted(
              Runtime.version(), System.getProperty("os.name"), System.getProperty("os.arch"))
    };
  }
}
