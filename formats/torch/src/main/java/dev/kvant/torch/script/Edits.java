package dev.kvant.torch.script;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Changes to a text, collected in any order and made at once. */
final class Edits {

  private record Edit(int start, int end, String replacement) {}

  private final List<Edit> edits = new ArrayList<>();

  /** Puts something before a position, behind what was put there before. */
  void insert(int position, String text) {
    replace(position, position, text);
  }

  /** Replaces a part; changes within a part that is replaced too are dropped. */
  void replace(int start, int end, String text) {
    edits.add(new Edit(start, end, text));
  }

  Edits copy() {
    var copy = new Edits();
    copy.edits.addAll(edits);
    return copy;
  }

  boolean isEmpty() {
    return edits.isEmpty();
  }

  String apply(String text) {
    List<Edit> ordered = new ArrayList<>(edits);
    ordered.sort(
        Comparator.comparingInt(Edit::start)
            .thenComparing(edit -> edit.end() > edit.start())
            .thenComparing(Edit::end, Comparator.reverseOrder()));
    var result = new StringBuilder();
    int position = 0;
    for (Edit edit : ordered) {
      if (edit.start() >= position) {
        result.append(text, position, edit.start()).append(edit.replacement());
        position = edit.end();
      }
    }
    return result.append(text, position, text.length()).toString();
  }
}
