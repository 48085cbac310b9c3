package dev.kvant.cli;

import dev.kvant.api.ModuleDescription;
import dev.kvant.cli.output.Screen;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** The modules of a model as a tree of their dotted names, each with the branches before it. */
final class ModuleTree {

  /**
   * A line of the tree.
   *
   * @param label the branches and the last part of the name
   * @param below the branches that go on below the line, for what else belongs to the module
   * @param module the module
   */
  record Line(String label, String below, ModuleDescription module) {}

  private final Screen screen;
  private final Map<String, List<ModuleDescription>> children = new LinkedHashMap<>();
  private final List<Line> lines = new ArrayList<>();

  private ModuleTree(Screen screen, List<ModuleDescription> modules) {
    this.screen = screen;
    Set<String> names = modules.stream().map(ModuleDescription::name).collect(Collectors.toSet());
    for (ModuleDescription module : modules) {
      children.computeIfAbsent(parent(module.name(), names), key -> new ArrayList<>()).add(module);
    }
  }

  /** The lines of the tree, in the order of the modules. */
  static List<Line> lines(Screen screen, List<ModuleDescription> modules) {
    var tree = new ModuleTree(screen, modules);
    tree.grow("", "");
    return List.copyOf(tree.lines);
  }

  private void grow(String parent, String indent) {
    List<ModuleDescription> siblings = children.getOrDefault(parent, List.of());
    for (int i = 0; i < siblings.size(); i++) {
      ModuleDescription module = siblings.get(i);
      boolean last = i == siblings.size() - 1;
      String below = indent;
      String branch = indent;
      if (!parent.isEmpty()) {
        branch += last ? screen.symbol("└─ ", "`- ") : screen.symbol("├─ ", "|- ");
        below += last ? "   " : screen.symbol("│  ", "|  ");
      }
      String name = module.name();
      String label = parent.isEmpty() ? name : name.substring(parent.length() + 1);
      lines.add(
          new Line(
              branch + label,
              children.containsKey(name) ? below + screen.symbol("│", "|") : below,
              module));
      grow(name, below);
    }
  }

  /** The nearest module whose name starts this one, or the empty string. */
  private static String parent(String name, Set<String> names) {
    String parent = name;
    do {
      parent = parent.substring(0, Math.max(0, parent.lastIndexOf('.')));
    } while (!parent.isEmpty() && !names.contains(parent));
    return parent;
  }
}
