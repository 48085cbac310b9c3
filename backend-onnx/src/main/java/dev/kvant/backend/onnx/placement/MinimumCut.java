package dev.kvant.backend.onnx.placement;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Divides nodes into two sides so that the arcs from the first side to the second cost least.
 *
 * <p>Dinic's algorithm: a maximum flow along shortest paths saturates a minimum cut. Source: E. A.
 * Dinic, Algorithm for solution of a problem of maximum flow in networks with power estimation,
 * 1970. The first side is the smallest one of that cost.
 */
final class MinimumCut {

  /** An arc that no cut may cross. */
  static final double FORBIDDEN = 1e15;

  private static final double ROUNDING = 1e-9;
  private static final int FIRST = 0;
  private static final int SECOND = 1;

  /** An arc and what can still flow through it; the one at index {@code i ^ 1} leads back. */
  private static final class Arc {
    final int to;
    double rest;

    Arc(int to, double rest) {
      this.to = to;
      this.rest = rest;
    }
  }

  private final List<Arc> arcs = new ArrayList<>();
  private final List<List<Integer>> leaving = new ArrayList<>();
  private int[] level = new int[0];
  private int[] next = new int[0];

  MinimumCut() {
    add();
    add();
  }

  /** A new node. */
  int add() {
    leaving.add(new ArrayList<>());
    return leaving.size() - 1;
  }

  /** What it costs to have a node on the first side. */
  void costsOnFirstSide(int node, double cost) {
    costsApart(node, SECOND, cost);
  }

  /** What it costs to have a node on the second side. */
  void costsOnSecondSide(int node, double cost) {
    costsApart(FIRST, node, cost);
  }

  /** What it costs to have one node on the first side and the other on the second. */
  void costsApart(int onFirst, int onSecond, double cost) {
    if (cost > 0) {
      leaving.get(onFirst).add(arcs.size());
      arcs.add(new Arc(onSecond, cost));
      leaving.get(onSecond).add(arcs.size());
      arcs.add(new Arc(onFirst, 0));
    }
  }

  /** The nodes of the first side. */
  BitSet firstSide() {
    while (reach()) {
      next = new int[leaving.size()];
      while (push() > 0) {
        // Until all shortest paths are full.
      }
    }
    BitSet first = new BitSet();
    for (int node = 0; node < leaving.size(); node++) {
      if (level[node] >= 0) {
        first.set(node);
      }
    }
    return first;
  }

  /** Finds how far each node is from the first side; whether the second can be reached. */
  private boolean reach() {
    level = new int[leaving.size()];
    Arrays.fill(level, -1);
    level[FIRST] = 0;
    ArrayDeque<Integer> queue = new ArrayDeque<>(List.of(FIRST));
    while (!queue.isEmpty()) {
      int node = queue.remove();
      for (int index : leaving.get(node)) {
        Arc arc = arcs.get(index);
        if (arc.rest > ROUNDING && level[arc.to] < 0) {
          level[arc.to] = level[node] + 1;
          queue.add(arc.to);
        }
      }
    }
    return level[SECOND] >= 0;
  }

  /** Fills one shortest path. A path may be as long as the graph is deep, so without recursion. */
  private double push() {
    List<Integer> path = new ArrayList<>();
    int node = FIRST;
    while (node != SECOND) {
      List<Integer> candidates = leaving.get(node);
      if (next[node] == candidates.size()) {
        if (path.isEmpty()) {
          return 0;
        }
        int dead = path.remove(path.size() - 1);
        node = arcs.get(dead ^ 1).to;
        next[node]++;
        continue;
      }
      int index = candidates.get(next[node]);
      Arc arc = arcs.get(index);
      if (arc.rest > ROUNDING && level[arc.to] == level[node] + 1) {
        path.add(index);
        node = arc.to;
      } else {
        next[node]++;
      }
    }
    double flow = Double.POSITIVE_INFINITY;
    for (int index : path) {
      flow = Math.min(flow, arcs.get(index).rest);
    }
    for (int index : path) {
      arcs.get(index).rest -= flow;
      arcs.get(index ^ 1).rest += flow;
    }
    return flow;
  }
}
