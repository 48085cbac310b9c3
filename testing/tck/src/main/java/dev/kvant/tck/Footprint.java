package dev.kvant.tck;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/**
 * The side effects of some code: files and connections that it used, threads that it started,
 * native libraries that it loaded.
 *
 * <p>Files and connections are those of Flight Recorder's events; class files and jars do not
 * count. Native libraries are detected only on Linux, and only when they are loaded for the first
 * time.
 *
 * @param traces one line for each
 */
record Footprint(List<String> traces) {

  private static final List<String> EVENTS =
      List.of("jdk.FileRead", "jdk.FileWrite", "jdk.SocketRead", "jdk.SocketWrite");
  private static final Path MAPS = Path.of("/proc/self/maps");

  /** Runs the code and records its side effects. */
  static Footprint of(Runnable code) {
    Set<Thread> threadsBefore = threads();
    Set<String> librariesBefore = nativeLibraries();
    List<String> traces = new ArrayList<>(filesAndConnections(code));
    for (Thread thread : threads()) {
      if (!threadsBefore.contains(thread) && !thread.getName().startsWith("JFR")) {
        traces.add("started the thread '%s'".formatted(thread.getName()));
      }
    }
    for (String library : nativeLibraries()) {
      if (!librariesBefore.contains(library)) {
        traces.add("loaded " + library);
      }
    }
    return new Footprint(traces);
  }

  private static List<String> filesAndConnections(Runnable code) {
    try (Recording recording = new Recording()) {
      EVENTS.forEach(event -> recording.enable(event).withThreshold(Duration.ZERO));
      recording.start();
      code.run();
      recording.stop();
      Path file = Files.createTempFile("footprint", ".jfr");
      try {
        recording.dump(file);
        return RecordingFile.readAllEvents(file).stream()
            .filter(event -> isByThisThread(event) && !isOfClassLoading(event))
            .map(Footprint::trace)
            .distinct()
            .toList();
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isByThisThread(RecordedEvent event) {
    return event.getThread() != null
        && event.getThread().getJavaThreadId() == Thread.currentThread().getId();
  }

  private static boolean isOfClassLoading(RecordedEvent event) {
    if (!event.hasField("path")) {
      return false;
    }
    String path = event.getString("path");
    return path == null
        || path.endsWith(".jar")
        || path.endsWith(".class")
        || path.startsWith(System.getProperty("java.home"));
  }

  private static String trace(RecordedEvent event) {
    String what = event.getEventType().getName().replaceFirst("jdk\\.(File|Socket)", "");
    return event.hasField("path")
        ? "%s of the file %s".formatted(what, event.getString("path"))
        : "%s of a connection to %s".formatted(what, event.getString("host"));
  }

  /** The threads that are alive, but for those of the common pool, which belong to nobody. */
  static Set<Thread> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> !thread.getName().startsWith("ForkJoinPool.commonPool-"))
        .collect(Collectors.toCollection(HashSet::new));
  }

  private static Set<String> nativeLibraries() {
    if (!Files.exists(MAPS)) {
      return Set.of();
    }
    try (Stream<String> lines = Files.lines(MAPS)) {
      return lines
          .filter(line -> line.contains("/") && line.contains(".so"))
          .map(line -> line.substring(line.indexOf('/')))
          .filter(path -> !path.startsWith(System.getProperty("java.home")))
          .collect(Collectors.toSet());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
