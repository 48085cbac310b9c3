package dev.kvant.api;

import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which values of an operand share a scale.
 *
 * <p>The text of each is that of documents: {@code tensor}, {@code channel}, {@code axis:1}, {@code
 * group:32}, {@code block:128x128}. {@link #of} reads it and {@code toString} writes it.
 *
 * @since 0.1.0
 */
public sealed interface Granularity {

  /** One scale for all values. */
  Granularity TENSOR = new PerTensor();

  /** One scale for each output channel. */
  Granularity CHANNEL = new PerChannel();

  /**
   * One scale for each index along an axis.
   *
   * @param axis the axis, counted from the end if negative
   */
  static Granularity axis(int axis) {
    return new PerAxis(axis);
  }

  /**
   * One scale for each group of consecutive values of an output channel.
   *
   * @param size how many values a group has
   * @throws IllegalArgumentException if it is less than 1
   */
  static Granularity group(int size) {
    return new PerGroup(size);
  }

  /**
   * One scale for each block of a matrix.
   *
   * @param rows how many rows a block has
   * @param columns how many columns a block has
   * @throws IllegalArgumentException if one of them is less than 1
   */
  static Granularity block(int rows, int columns) {
    return new PerBlock(rows, columns);
  }

  /**
   * The granularity of that text, in any case.
   *
   * @throws IllegalArgumentException if it has none of the five forms
   */
  static Granularity of(String text) {
    String written = Objects.requireNonNull(text, "text").strip().toLowerCase(Locale.ROOT);
    for (Kind kind : Kind.values()) {
      Matcher matcher = kind.pattern.matcher(written);
      if (matcher.matches()) {
        try {
          return switch (kind) {
            case TENSOR -> TENSOR;
            case CHANNEL -> CHANNEL;
            case AXIS -> axis(Integer.parseInt(matcher.group(1)));
            case GROUP -> group(Integer.parseInt(matcher.group(1)));
            case BLOCK ->
                block(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
          };
        } catch (NumberFormatException e) {
          throw new IllegalArgumentException(
              "'%s' has a number that is too large".formatted(text), e);
        }
      }
    }
    throw new IllegalArgumentException(
        "'%s' is not a granularity; use one of %s"
            .formatted(
                text,
                Arrays.stream(Kind.values())
                    .map(Kind::toString)
                    .collect(Collectors.joining(", "))));
  }

  /** Which of the five forms it has. */
  Kind kind();

  /**
   * The forms of granularities, from coarse to fine.
   *
   * @since 0.1.0
   */
  enum Kind {
    /** One scale for all values. */
    TENSOR("tensor", "tensor"),
    /** One scale for each output channel. */
    CHANNEL("channel", "channel"),
    /** One scale for each index along an axis. */
    AXIS("axis:N", "axis:([+-]?\\d+)"),
    /** One scale for each group of consecutive values of an output channel. */
    GROUP("group:N", "group:(\\d+)"),
    /** One scale for each block of a matrix. */
    BLOCK("block:NxM", "block:(\\d+)x(\\d+)");

    private final String form;
    private final Pattern pattern;

    Kind(String form, String pattern) {
      this.form = form;
      this.pattern = Pattern.compile(pattern);
    }

    /** The form of its text, as in {@code group:N}. */
    @Override
    public String toString() {
      return form;
    }
  }

  /**
   * One scale for all values.
   *
   * @since 0.1.0
   */
  record PerTensor() implements Granularity {

    @Override
    public Kind kind() {
      return Kind.TENSOR;
    }

    @Override
    public String toString() {
      return "tensor";
    }
  }

  /**
   * One scale for each output channel.
   *
   * @since 0.1.0
   */
  record PerChannel() implements Granularity {

    @Override
    public Kind kind() {
      return Kind.CHANNEL;
    }

    @Override
    public String toString() {
      return "channel";
    }
  }

  /**
   * One scale for each index along an axis.
   *
   * @param axis the axis, counted from the end if negative; never negative for a weight in a plan
   * @since 0.1.0
   */
  record PerAxis(int axis) implements Granularity {

    @Override
    public Kind kind() {
      return Kind.AXIS;
    }

    @Override
    public String toString() {
      return "axis:" + axis;
    }
  }

  /**
   * One scale for each group of consecutive values of an output channel.
   *
   * @param size how many values a group has, at least 1
   * @since 0.1.0
   */
  record PerGroup(int size) implements Granularity {

    public PerGroup {
      if (size < 1) {
        throw new IllegalArgumentException("a group has at least 1 value, not " + size);
      }
    }

    @Override
    public Kind kind() {
      return Kind.GROUP;
    }

    @Override
    public String toString() {
      return "group:" + size;
    }
  }

  /**
   * One scale for each block of a matrix.
   *
   * @param rows how many rows a block has, at least 1
   * @param columns how many columns a block has, at least 1
   * @since 0.1.0
   */
  record PerBlock(int rows, int columns) implements Granularity {

    public PerBlock {
      if (rows < 1 || columns < 1) {
        throw new IllegalArgumentException(
            "a block has at least 1 row and 1 column, not %d and %d".formatted(rows, columns));
      }
    }

    @Override
    public Kind kind() {
      return Kind.BLOCK;
    }

    @Override
    public String toString() {
      return "block:%sx%s".formatted(rows, columns);
    }
  }
}
