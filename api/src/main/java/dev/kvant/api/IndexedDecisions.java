package dev.kvant.api;

import java.util.AbstractList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.RandomAccess;

/** Decisions in order, and by name in constant time: models have many thousands of modules. */
final class IndexedDecisions extends AbstractList<ModuleDecision> implements RandomAccess {

  private final List<ModuleDecision> decisions;
  private final Map<String, ModuleDecision> byName;

  private IndexedDecisions(List<ModuleDecision> decisions) {
    this.decisions = decisions;
    this.byName = new HashMap<>();
    decisions.forEach(decision -> byName.putIfAbsent(decision.module(), decision));
  }

  /** An unmodifiable copy; the list itself if it is one. */
  static IndexedDecisions copyOf(List<ModuleDecision> decisions) {
    return decisions instanceof IndexedDecisions indexed
        ? indexed
        : new IndexedDecisions(List.copyOf(decisions));
  }

  /** The first decision on a module of that name. */
  Optional<ModuleDecision> find(String module) {
    return Optional.ofNullable(byName.get(module));
  }

  @Override
  public ModuleDecision get(int index) {
    return decisions.get(index);
  }

  @Override
  public int size() {
    return decisions.size();
  }
}
