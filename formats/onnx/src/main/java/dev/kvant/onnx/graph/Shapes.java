package dev.kvant.onnx.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The shapes that operators make, each empty where its attributes do not fit. */
final class Shapes {

  static final int MOST_DIMENSIONS = 64;

  private Shapes() {}

  static Optional<List<Long>> transposed(List<Long> dims, Node node) {
    List<Long> order = node.intsAttribute("perm");
    if (order.isEmpty()) {
      List<Long> reversed = new ArrayList<>(dims);
      Collections.reverse(reversed);
      return Optional.of(reversed);
    }
    if (order.size() != dims.size()
        || new HashSet<>(order).size() != order.size()
        || order.stream().anyMatch(axis -> axis < 0 || axis >= dims.size())) {
      return Optional.empty();
    }
    return Optional.of(order.stream().map(axis -> dims.get(axis.intValue())).toList());
  }

  static Optional<List<Long>> reshaped(List<Long> dims, List<Long> shape, long allowZero) {
    List<Long> result = new ArrayList<>();
    long known = 1;
    int open = -1;
    for (int i = 0; i < shape.size(); i++) {
      long wanted = shape.get(i);
      if (wanted == 0 && allowZero == 0) {
        if (i >= dims.size()) {
          return Optional.empty();
        }
        wanted = dims.get(i);
      }
      if (wanted < -1 || (wanted == -1 && open >= 0)) {
        return Optional.empty();
      }
      if (wanted == -1) {
        open = i;
      } else {
        known = times(known, wanted);
      }
      result.add(wanted);
    }
    long elements = elements(dims);
    if (open >= 0) {
      if (known <= 0 || elements % known != 0) {
        return Optional.empty();
      }
      result.set(open, elements / known);
      return Optional.of(result);
    }
    return known == elements ? Optional.of(result) : Optional.empty();
  }

  static Optional<List<Long>> flattened(List<Long> dims, long axis) {
    long at = axis < 0 ? axis + dims.size() : axis;
    if (at < 0 || at > dims.size()) {
      return Optional.empty();
    }
    return Optional.of(
        List.of(
            elements(dims.subList(0, (int) at)), elements(dims.subList((int) at, dims.size()))));
  }

  static Optional<List<Long>> squeezed(List<Long> dims, List<Long> axes) {
    Optional<Set<Integer>> places = places(axes, dims.size());
    return places.map(
        removed -> {
          List<Long> result = new ArrayList<>();
          for (int i = 0; i < dims.size(); i++) {
            if (axes.isEmpty() ? dims.get(i) != 1 : !removed.contains(i)) {
              result.add(dims.get(i));
            }
          }
          return result;
        });
  }

  static Optional<List<Long>> unsqueezed(List<Long> dims, List<Long> axes) {
    int rank = dims.size() + axes.size();
    return places(axes, rank)
        .filter(added -> added.size() == axes.size())
        .map(
            added -> {
              List<Long> result = new ArrayList<>();
              int next = 0;
              for (int i = 0; i < rank; i++) {
                result.add(added.contains(i) ? 1L : dims.get(next++));
              }
              return result;
            });
  }

  private static Optional<Set<Integer>> places(List<Long> axes, int rank) {
    Set<Integer> places = new HashSet<>();
    for (long axis : axes) {
      long place = axis < 0 ? axis + rank : axis;
      if (place < 0 || place >= rank) {
        return Optional.empty();
      }
      places.add((int) place);
    }
    return Optional.of(places);
  }

  static Optional<List<Long>> broadcast(List<Long> one, List<Long> other) {
    int rank = Math.max(one.size(), other.size());
    List<Long> result = new ArrayList<>();
    for (int i = 0; i < rank; i++) {
      long a = i < rank - one.size() ? 1 : one.get(i - rank + one.size());
      long b = i < rank - other.size() ? 1 : other.get(i - rank + other.size());
      if (a != b && a != 1 && b != 1) {
        return Optional.empty();
      }
      result.add(a == 1 ? b : a);
    }
    return Optional.of(result);
  }

  private static long elements(List<Long> dims) {
    return dims.stream().reduce(1L, Shapes::times);
  }

  /** The product, or a number that none of a tensor's can be. */
  private static long times(long one, long other) {
    try {
      return Math.multiplyExact(one, other);
    } catch (ArithmeticException tooLarge) {
      return Long.MAX_VALUE;
    }
  }
}
