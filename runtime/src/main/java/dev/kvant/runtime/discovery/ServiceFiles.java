package dev.kvant.runtime.discovery;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;

/**
 * The entries of the services files that a loader sees, in the order in which {@link
 * java.util.ServiceLoader} goes through them. It does not tell which entry it failed at; this does.
 */
final class ServiceFiles {

  /** A line of a services file: the class that it names and the jar or folder of the file. */
  record Entry(String provider, String location) {}

  private final Deque<Entry> ahead;

  private ServiceFiles(Deque<Entry> ahead) {
    this.ahead = ahead;
  }

  /** The entries for a service. */
  static ServiceFiles of(Class<?> service, ClassLoader loader) {
    String name = name(service);
    Deque<Entry> entries = new ArrayDeque<>();
    Set<String> seen = new HashSet<>();
    try {
      for (URL file : Collections.list(loader.getResources(name))) {
        String location = Location.ofResource(file, name);
        for (String line : read(file).lines().toList()) {
          String provider = line.replaceFirst("#.*", "").strip();
          if (!provider.isEmpty() && seen.add(provider)) {
            entries.add(new Entry(provider, location));
          }
        }
      }
    } catch (IOException e) {
      // ServiceLoader fails on the same file and its error is what gets reported.
      return new ServiceFiles(entries);
    }
    return new ServiceFiles(entries);
  }

  /** The name of a service's files in jars. */
  static String name(Class<?> service) {
    return "META-INF/services/" + service.getName();
  }

  private static String read(URL file) throws IOException {
    URLConnection connection = file.openConnection();
    connection.setUseCaches(false);
    try (InputStream in = connection.getInputStream()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** The provider of that name was loaded: entries before it are done with. */
  void loaded(String provider) {
    if (ahead.stream().anyMatch(entry -> entry.provider().equals(provider))) {
      while (!ahead.remove().provider().equals(provider)) {
        // An entry that a named module provides, which ServiceLoader does not repeat.
      }
    }
  }

  /** Loading failed: the next entry is the one. */
  Entry failed() {
    Entry next = ahead.poll();
    return next == null ? new Entry("", "") : next;
  }
}
