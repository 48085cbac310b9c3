package dev.kvant.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a path, and says why one cannot be. */
final class PathArgument implements ITypeConverter<Path> {

  @Override
  public Path convert(String value) {
    if (value.isBlank()) {
      // As a path it would be the working directory, which nobody means by a variable that is
      // empty.
      throw new TypeConversionException("the path is empty; '.' is the working directory");
    }
    try {
      return Path.of(value);
    } catch (InvalidPathException e) {
      String reason =
          value.chars().allMatch(c -> c < 0x80)
              ? e.getReason()
              : "the locale's character set %s lacks some of its letters; LC_ALL=C.UTF-8 has all"
                  .formatted(System.getProperty("sun.jnu.encoding"));
      throw new TypeConversionException("'%s' cannot be a path: %s".formatted(value, reason));
    }
  }
}
