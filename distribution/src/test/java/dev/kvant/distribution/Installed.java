package dev.kvant.distribution;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The distribution, unpacked as a person would.
 *
 * @param home the folder with bin, lib and plugins
 */
record Installed(Path home) {

  /** Unpacks the zip of this build. */
  static Installed into(Path folder) {
    Path zip = Path.of(System.getProperty("kvant.zip"));
    try (FileSystem files =
            FileSystems.newFileSystem(
                URI.create("jar:" + zip.toUri()), Map.of("enablePosixFileAttributes", true));
        Stream<Path> entries = Files.walk(files.getPath("/"))) {
      for (Path entry : entries.toList()) {
        Path target = folder.resolve(entry.toString().substring(1));
        if (Files.isDirectory(entry)) {
          Files.createDirectories(target);
        } else {
          Files.copy(entry, target);
          Files.setPosixFilePermissions(target, Files.getPosixFilePermissions(entry));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Installed(folder.resolve("kvant-" + System.getProperty("kvant.version")));
  }

  /** The command. */
  Path command() {
    return home.resolve("bin/kvant");
  }

  /** The names of the files in a folder of it. */
  Stream<String> names(String folder) {
    try (Stream<Path> files = Files.list(home.resolve(folder))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
