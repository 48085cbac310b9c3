package dev.kvant.backend.modelopt;

import dev.kvant.api.ElementType;
import dev.kvant.api.NonFiniteValues;
import dev.kvant.numerics.observer.Histogram;
import dev.kvant.spi.Observation;
import dev.kvant.torch.ScriptModel;
import dev.kvant.torch.ScriptRewriter;
import dev.kvant.torch.pickle.PickleObject;
import dev.kvant.torch.script.ForwardMethod;
import dev.kvant.torch.script.ScriptCode;
import dev.kvant.torch.script.ScriptModule;
import dev.kvant.torch.script.ScriptTree;
import dev.kvant.torch.script.ScriptType;
import dev.kvant.torch.tensor.CopyProgress;
import dev.kvant.torch.tensor.TensorNode;
import dev.kvant.torch.tensor.TensorPickler;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Writes a copy of an archive in which some modules observe their inputs, and that tells by two
 * methods of its own what they saw. It has no weights until it is given them.
 */
final class ObservedArchive {

  private static final String ROOT = "observed";

  /**
   * How to ask the model what was observed.
   *
   * @param modules the names of the modules that observe, in the order of all answers
   * @param counting those of them that count values
   * @param ranges the method that answers with the smallest and the largest value of each module,
   *     one behind the other: infinity and its negative before the first value
   * @param counts the method that answers with the exponents of all counting modules, and then with
   *     the counts of each
   * @param ignored the method that answers with the number of values that each module left out
   * @param claim the storages that the model must be given before it runs
   */
  record Questions(
      List<String> modules,
      List<String> counting,
      String ranges,
      String counts,
      String ignored,
      LeftOutStorages.Claim claim) {

    Questions {
      modules = List.copyOf(modules);
      counting = List.copyOf(counting);
    }
  }

  /** Why nothing was observed of a module that is not called. */
  static final String NEVER_REACHED = "the data never reached it";

  private final ScriptModel model;
  private final ScriptRewriter rewriter;
  private final TensorPickler pickler = TensorPickler.forScript();

  /** The attributes with the observers of modules. */
  private final Map<ScriptModule, String> observers = new LinkedHashMap<>();

  private final NonFiniteValues nonFinite;

  private ObservedArchive(ScriptModel model, NonFiniteValues nonFinite) {
    this.model = model;
    this.nonFinite = nonFinite;
    this.rewriter = new ScriptRewriter(model);
  }

  /**
   * Writes the file.
   *
   * @param levels how much modules are to observe, by name; those whose code has no call that could
   *     be observed stay as they are
   * @param nonFinite what they do with values that are NaN or infinite
   */
  static Questions write(
      Path file,
      ScriptModel model,
      Map<String, Observation> levels,
      NonFiniteValues nonFinite,
      CopyProgress progress) {
    var archive = new ObservedArchive(model, nonFinite);
    Questions questions = archive.change(levels);
    archive.rewriter.write(file, ROOT, progress);
    return questions;
  }

  /** Why the input of a module cannot be observed. */
  static Optional<String> obstacle(ScriptTree tree, ScriptCode code, ScriptModule module) {
    Optional<ScriptType> type = code.type(module.type().name().qualifiedName());
    if (type.map(ForwardMethod::of).orElse(List.of()).isEmpty()) {
      return Optional.of(
          type.isPresent() && ForwardMethod.isCalled(type.get())
              ? "its code has no input that could be observed"
              : NEVER_REACHED);
    }
    return new ModulePlaces(tree, code).isReachable(module)
        ? Optional.empty()
        : Optional.of("it is called by way of an interface, which hides its attributes");
  }

  private Questions change(Map<String, Observation> levels) {
    Map<ScriptModule, Observation> wanted = new LinkedHashMap<>();
    levels.forEach(
        (name, level) -> {
          ScriptModule module = rewriter.tree().module(name).orElseThrow();
          if (obstacle(rewriter.tree(), rewriter.code(), module).isEmpty()) {
            wanted.put(module, level);
          }
        });
    PickleObject infinity = scalar(Float.POSITIVE_INFINITY);
    PickleObject negativeInfinity = scalar(Float.NEGATIVE_INFINITY);
    PickleObject zeros = zeros();
    rewriter
        .tree()
        .modulesByClass()
        .forEach(
            (name, modules) -> {
              if (modules.stream().anyMatch(wanted::containsKey)) {
                String observer = observe(rewriter.code().type(name).orElseThrow());
                for (ScriptModule module : modules) {
                  Optional<Observation> level = Optional.ofNullable(wanted.get(module));
                  module
                      .attributes()
                      .put(
                          observer,
                          InputObserver.instance(
                              level, nonFinite, infinity, negativeInfinity, zeros));
                  if (level.isPresent()) {
                    observers.put(module, observer);
                  }
                }
              }
            });
    rewriter.addRecord(InputObserver.RECORD, InputObserver.code());
    return addQuestions(wanted);
  }

  /**
   * Lets instances of a class observe what they are called with, before anything else does.
   *
   * @return the attribute with an instance's observer
   */
  private static String observe(ScriptType type) {
    String observer = type.unusedName("input_observer");
    type.addAttribute(observer, InputObserver.TYPE.qualifiedName());
    for (ForwardMethod method : ForwardMethod.of(type)) {
      type.insertFirst(
          method.name(),
          "(%s.%s).%s(%s, )"
              .formatted(method.self(), observer, InputObserver.OBSERVE, method.input()));
    }
    return observer;
  }

  private Questions addQuestions(Map<ScriptModule, Observation> wanted) {
    List<String> modules = new ArrayList<>();
    List<String> counting = new ArrayList<>();
    List<String> ranges = new ArrayList<>();
    List<String> exponents = new ArrayList<>();
    List<String> counts = new ArrayList<>();
    List<String> ignored = new ArrayList<>();
    observers.forEach(
        (module, observer) -> {
          String place = ModulePlaces.of(module, observer) + ".";
          modules.add(module.label());
          ranges.add(place + InputObserver.LOW);
          ranges.add(place + InputObserver.HIGH);
          ignored.add(place + InputObserver.IGNORED);
          if (wanted.get(module) == Observation.DISTRIBUTION) {
            counting.add(module.label());
            exponents.add(place + InputObserver.EXPONENT);
            counts.add(place + InputObserver.COUNTS);
          }
        });
    return new Questions(
        modules,
        counting,
        addQuestion(
            "observed_ranges",
            modules,
            "Tensor",
            "return torch.stack([%s])\n".formatted(String.join(", ", ranges))),
        addQuestion(
            "observed_distributions",
            counting,
            "List[Tensor]",
            "exponents = torch.tensor([%s])\nreturn [exponents, %s]\n"
                .formatted(String.join(", ", exponents), String.join(", ", counts))),
        addQuestion(
            "observed_ignored",
            modules,
            "Tensor",
            "return torch.tensor([%s])\n".formatted(String.join(", ", ignored))),
        LeftOutStorages.claim(model, rewriter, pickler));
  }

  /** The name of a new method of the root, which is left out if it is about no module. */
  private String addQuestion(String name, List<String> modules, String type, String code) {
    ScriptType root = rewriter.rootType();
    String unused = root.unusedName(name);
    if (!modules.isEmpty()) {
      root.addMethod(unused, "", type, code);
    }
    return unused;
  }

  private PickleObject scalar(float value) {
    ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putFloat(0, value);
    String storage =
        rewriter.storages().add(Float.BYTES, target -> target.write(bytes.duplicate()));
    return pickler.node(TensorNode.contiguous(ElementType.FLOAT32, storage, List.of()));
  }

  private PickleObject zeros() {
    int bins = 2 * Histogram.BINS + 1;
    String storage =
        rewriter
            .storages()
            .add(
                (long) bins * Long.BYTES,
                target -> target.write(ByteBuffer.allocate(bins * Long.BYTES)));
    return pickler.node(TensorNode.contiguous(ElementType.INT64, storage, List.of((long) bins)));
  }
}
