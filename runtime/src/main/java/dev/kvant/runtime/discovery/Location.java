package dev.kvant.runtime.discovery;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.security.CodeSource;
import org.jspecify.annotations.Nullable;

/** Says for a person where a class or resource came from. */
final class Location {

  static final String UNKNOWN = "an unknown location";

  private Location() {}

  /** The jar or folder that a class was loaded from. */
  static String of(Class<?> type) {
    CodeSource source = type.getProtectionDomain().getCodeSource();
    URL url = source == null ? null : source.getLocation();
    return url == null ? UNKNOWN : of(url.toString());
  }

  /** The jar or folder that holds a resource of that name. */
  static String ofResource(URL resource, String name) {
    String text = resource.toString();
    if (text.startsWith("jar:")) {
      text = text.substring("jar:".length());
      int entry = text.indexOf("!/");
      return of(entry < 0 ? text : text.substring(0, entry));
    }
    return of(text.endsWith(name) ? text.substring(0, text.length() - name.length()) : text);
  }

  private static String of(String url) {
    Path path = path(url);
    return path == null ? url : path.toString();
  }

  private static @Nullable Path path(String url) {
    try {
      URI uri = new URI(url);
      return "file".equals(uri.getScheme()) ? Path.of(uri) : null;
    } catch (URISyntaxException | IllegalArgumentException e) {
      return null;
    }
  }
}
