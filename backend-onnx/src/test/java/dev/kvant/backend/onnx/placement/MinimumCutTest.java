package dev.kvant.backend.onnx.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("A minimum cut")
class MinimumCutTest {

  /** A cost that arises where one node is on the first side and the other on the second. */
  private record Cost(int onFirst, int onSecond, double cost) {}

  /** Stands for the first side and for the second side in a {@link Cost}. */
  private static final int FIRST = -1;

  private static final int SECOND = -2;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void costs_as_little_as_the_best_of_all_divisions(long seed) {
    Random random = new Random(seed);
    int nodes = 9;
    List<Cost> costs = new ArrayList<>();
    for (int node = 0; node < nodes; node++) {
      costs.add(new Cost(node, SECOND, random.nextInt(10)));
      costs.add(new Cost(FIRST, node, random.nextInt(10)));
    }
    for (int i = 0; i < 25; i++) {
      costs.add(new Cost(random.nextInt(nodes), random.nextInt(nodes), random.nextInt(6)));
    }
    double best = Double.POSITIVE_INFINITY;
    for (int division = 0; division < 1 << nodes; division++) {
      best = Math.min(best, cost(costs, BitSet.valueOf(new long[] {division})));
    }

    assertThat(cost(costs, cut(nodes, costs))).isCloseTo(best, within(1e-9));
  }

  @Test
  void never_crosses_a_forbidden_arc() {
    List<Cost> costs =
        List.of(
            new Cost(FIRST, 0, 100),
            new Cost(0, 1, MinimumCut.FORBIDDEN),
            new Cost(1, SECOND, 1000));

    assertThat(cut(2, costs)).isEqualTo(new BitSet());
  }

  @Test
  void of_a_chain_of_a_hundred_thousand_nodes_is_found_without_deep_recursion() {
    int nodes = 100_000;
    List<Cost> costs = new ArrayList<>(List.of(new Cost(FIRST, 0, 5)));
    for (int node = 1; node < nodes; node++) {
      costs.add(new Cost(node - 1, node, node == 777 ? 1 : 3));
    }
    costs.add(new Cost(nodes - 1, SECOND, 5));

    assertThat(cut(nodes, costs).cardinality()).isEqualTo(777);
  }

  private static BitSet cut(int nodes, List<Cost> costs) {
    MinimumCut cut = new MinimumCut();
    int[] ids = new int[nodes];
    for (int node = 0; node < nodes; node++) {
      ids[node] = cut.add();
    }
    for (Cost each : costs) {
      if (each.onSecond() == SECOND) {
        cut.costsOnFirstSide(ids[each.onFirst()], each.cost());
      } else if (each.onFirst() == FIRST) {
        cut.costsOnSecondSide(ids[each.onSecond()], each.cost());
      } else {
        cut.costsApart(ids[each.onFirst()], ids[each.onSecond()], each.cost());
      }
    }
    BitSet first = cut.firstSide();
    BitSet nodesOfFirst = new BitSet();
    for (int node = 0; node < nodes; node++) {
      nodesOfFirst.set(node, first.get(ids[node]));
    }
    return nodesOfFirst;
  }

  private static double cost(List<Cost> costs, BitSet first) {
    double sum = 0;
    for (Cost each : costs) {
      boolean isApart =
          (each.onFirst() == FIRST || first.get(each.onFirst()))
              && (each.onSecond() == SECOND || !first.get(each.onSecond()));
      sum += isApart ? each.cost() : 0;
    }
    return sum;
  }
}
