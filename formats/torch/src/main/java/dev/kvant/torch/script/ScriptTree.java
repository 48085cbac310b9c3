package dev.kvant.torch.script;

import dev.kvant.api.ModelFormatException;
import dev.kvant.api.Printable;
import dev.kvant.torch.archive.TorchArchive;
import dev.kvant.torch.pickle.PickleDict;
import dev.kvant.torch.pickle.PickleGlobal;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.pickle.PickleText;
import dev.kvant.torch.pickle.PickleValue;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The modules of a TorchScript archive, read from its {@code data.pkl} into a tree that belongs to
 * the caller, who may change it and write it into another archive.
 *
 * @since 0.1.0
 */
public final class ScriptTree {

  /** What the root is called where it must have a name. */
  public static final String ROOT = "(root)";

  /** The record that holds the tree. */
  public static final String RECORD = "data.pkl";

  /** Deeper nesting than any model has; the walk itself would stand more. */
  private static final int MAX_DEPTH = 1_000;

  /** More places than any model has: a hostile tree of shared modules has exponentially many. */
  private static final int MAX_PLACES = 500_000;

  /** The most characters that the names of all places may have together. */
  private static final long MAX_NAMES = 64 << 20;

  private final PickleObject root;
  private final Map<String, ScriptModule> places;

  private ScriptTree(PickleObject root, Map<String, ScriptModule> places) {
    this.root = root;
    this.places = Collections.unmodifiableMap(places);
  }

  /**
   * Reads the tree of an archive.
   *
   * @throws ModelFormatException if the archive is damaged or has no module tree
   */
  public static ScriptTree read(TorchArchive archive) {
    PickleValue value = archive.pickle(RECORD);
    var walk = new Walk(archive);
    if (!(value instanceof PickleObject root) || walk.module(root).isEmpty()) {
      throw new ModelFormatException(
          "%s contains no TorchScript module; save it with torch.jit.save"
              .formatted(archive.path()));
    }
    walk.run(root);
    return new ScriptTree(root, walk.places);
  }

  /** The root module's node: what to write as {@code data.pkl}. */
  public PickleObject root() {
    return root;
  }

  /**
   * The modules by qualified name, parents before children, in the order of {@code
   * named_modules()}; the root, whose name is empty, is the first. An instance that occurs several
   * times is there for each occurrence.
   */
  public Map<String, ScriptModule> places() {
    return places;
  }

  /** Each module instance once, the root first. */
  public List<ScriptModule> modules() {
    return places.values().stream().distinct().toList();
  }

  /**
   * The instances of each class, each once, by the class's qualified name; classes in the order in
   * which the tree comes to them.
   */
  public Map<String, List<ScriptModule>> modulesByClass() {
    return modules().stream()
        .collect(
            Collectors.groupingBy(
                module -> module.type().name().qualifiedName(),
                LinkedHashMap::new,
                Collectors.toList()));
  }

  /** The module of that qualified name; the root's is empty or {@link #ROOT}. */
  public Optional<ScriptModule> module(String name) {
    ScriptModule module = places.get(name);
    return Optional.ofNullable(module == null && name.equals(ROOT) ? places.get("") : module);
  }

  private static final class Walk {

    private final TorchArchive archive;
    private final ScriptClasses classes;
    private final Map<String, ScriptModule> places = new LinkedHashMap<>();
    private final Map<PickleObject, ScriptModule> instances = new HashMap<>();
    private final Deque<Level> path = new ArrayDeque<>();
    private long characters;

    Walk(TorchArchive archive) {
      this.archive = archive;
      this.classes = new ScriptClasses(archive);
    }

    private record Level(
        String name,
        ScriptModule module,
        Iterator<Map.Entry<PickleValue, PickleValue>> attributes) {}

    Optional<ScriptModule> module(PickleValue node) {
      if (!(node instanceof PickleObject object)
          || object.construction() != PickleObject.Construction.NEW
          || !(object.callable() instanceof PickleGlobal name)) {
        return Optional.empty();
      }
      @Nullable ScriptModule known = instances.get(object);
      if (known != null) {
        return Optional.of(known);
      }
      Optional<PickleDict> attributes = object.attributes();
      Optional<ScriptClass> type = classes.find(name);
      if (type.isEmpty() || attributes.isEmpty()) {
        return Optional.empty();
      }
      var module = new ScriptModule(type.get(), object, attributes.get());
      instances.put(object, module);
      return Optional.of(module);
    }

    void run(PickleObject root) {
      enter("", module(root).orElseThrow());
      while (!path.isEmpty()) {
        Level level = path.element();
        if (!level.attributes().hasNext()) {
          path.pop();
          continue;
        }
        Map.Entry<PickleValue, PickleValue> attribute = level.attributes().next();
        if (attribute.getKey() instanceof PickleText text) {
          module(attribute.getValue())
              .ifPresent(
                  child ->
                      enter(
                          level.name().isEmpty() ? text.value() : level.name() + "." + text.value(),
                          child));
        }
      }
    }

    private void enter(String name, ScriptModule module) {
      if (path.stream().anyMatch(level -> level.module() == module)) {
        throw damaged("module '%s' contains itself".formatted(name));
      }
      characters += name.length();
      if (path.size() >= MAX_DEPTH || places.size() >= MAX_PLACES || characters > MAX_NAMES) {
        throw damaged(
            "its modules are nested deeper than %d levels or occur in more than %d places"
                .formatted(MAX_DEPTH, MAX_PLACES));
      }
      module.addName(name);
      places.put(name, module);
      path.push(
          new Level(
              name, module, List.copyOf(module.attributes().entries().entrySet()).iterator()));
    }

    private ModelFormatException damaged(String what) {
      return new ModelFormatException(
          "%s is damaged: %s".formatted(archive.path(), Printable.shortened(what)));
    }
  }
}
