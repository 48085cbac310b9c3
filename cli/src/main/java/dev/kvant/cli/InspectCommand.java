package dev.kvant.cli;

import dev.kvant.api.ModuleDescription;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationListener;
import dev.kvant.api.QuantizationReport;
import dev.kvant.api.TensorDescription;
import dev.kvant.api.Verification;
import dev.kvant.cli.output.Screen;
import dev.kvant.cli.output.Screens;
import dev.kvant.cli.output.Style;
import dev.kvant.cli.output.Table;
import dev.kvant.cli.output.Table.Cell;
import dev.kvant.cli.output.Table.Column;
import dev.kvant.report.Figures;
import dev.kvant.report.JsonDocument;
import dev.kvant.report.PlanDocument;
import dev.kvant.report.StoredModules;
import dev.kvant.report.VerificationDocument;
import dev.kvant.runtime.Kvant;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Shows what is inside of a model file. */
@Command(
    name = InspectCommand.NAME,
    description = {
      "Shows the modules of a model with their classes and tensors.",
      "Of a file that Kvant wrote it shows the plan as well."
    },
    footer = "  kvant inspect examples/digits/models/resnet_traced.pt")
final class InspectCommand extends Subcommand {

  static final String NAME = "inspect";

  @Parameters(
      paramLabel = "MODEL",
      description = "A model file, or a folder with a sharded one. Its content tells its format.")
  @SuppressWarnings("NullAway.Init")
  private Path path;

  InspectCommand(Screens screens, Installations installations) {
    super(screens, installations);
  }

  @Override
  public Integer call() {
    try (Kvant kvant = open(QuantizationListener.NONE);
        QuantizableModel model = kvant.load(path)) {
      Optional<QuantizationReport> report = kvant.report(model);
      Optional<Verification> verification = kvant.verification(model);
      print(() -> document(model, report, verification), () -> show(model, report, verification));
    }
    return ExitCode.DONE;
  }

  private void show(
      QuantizableModel model,
      Optional<QuantizationReport> report,
      Optional<Verification> verification) {
    Screen out = out();
    List<ModuleDescription> modules = model.modules();
    long tensors = withRoot(model).stream().mapToLong(module -> module.tensors().size()).sum();
    out.line(Cell.of(Style.STRONG, model.source().toString()));
    out.line(
        "%s, %s, %s, %s"
            .formatted(
                model.format(),
                Count.of(modules.size(), "module"),
                Count.of(tensors, "tensor"),
                Figures.bytes(model.tensorBytes())));
    if (modules.stream().anyMatch(ModuleDescription::typesInferred)) {
      out.line(
          modules.stream().allMatch(ModuleDescription::typesInferred)
              ? "The file names no classes; those with ~ are guessed from names and shapes."
              : "The file names most classes; those with ~ are guessed from names and shapes.");
    }
    out.line();
    if (tensors == 0 && modules.isEmpty()) {
      out.line("It has no modules.");
    } else {
      table(model).print(out);
    }
    report.ifPresent(
        made -> {
          out.line();
          out.line(
              Cell.of(
                  Style.STRONG,
                  "Quantized by Kvant: backend %s, mode %s"
                      .formatted(made.backend(), made.mode())));
          out.line();
          ModuleTable.ofReport(made, new StoredModules(modules), true).print(out);
          if (!made.requirements().isEmpty()) {
            out.line();
            RequirementTable.of(made.requirements()).print(out);
          }
        });
    verification.ifPresent(
        result -> {
          out.line();
          VerificationTable.of(List.of(result)).print(out);
        });
  }

  /** All modules, and before them the root where it owns tensors. */
  private static List<ModuleDescription> withRoot(QuantizableModel model) {
    return Stream.concat(model.root().stream(), model.modules().stream()).toList();
  }

  private Table table(QuantizableModel model) {
    Table table =
        Table.of(
            Column.name("module"),
            Column.name("class"),
            Column.name("tensor"),
            Column.text("dtype"),
            Column.text("shape"),
            Column.number("size"),
            Column.prose("note"));
    Map<String, String> firstByStorage = new HashMap<>();
    List<ModuleTree.Line> lines = new ArrayList<>();
    model.root().ifPresent(root -> lines.add(new ModuleTree.Line("(root)", "", root)));
    lines.addAll(ModuleTree.lines(out(), model.modules()));
    for (ModuleTree.Line line : lines) {
      ModuleDescription module = line.module();
      String names = module.names().stream().skip(1).collect(Collectors.joining(", "));
      String note = names.isEmpty() ? "" : "also " + names;
      if (module.tensors().isEmpty()) {
        table.row(line.label(), className(module), "", "", "", "", note);
      }
      boolean first = true;
      for (TensorDescription tensor : module.tensors()) {
        String fullName = qualified(module, tensor);
        String tied = firstByStorage.putIfAbsent(tensor.storage(), fullName);
        table.row(
            first ? Cell.of(line.label()) : Cell.of(line.below().stripTrailing()),
            first ? className(module) : "",
            tensor.name(),
            tensor.elementType(),
            shape(tensor),
            Figures.bytes(tensor.bytes()),
            joined(first ? note : "", tied == null ? "" : "tied to " + tied));
        first = false;
      }
    }
    return table;
  }

  private static String qualified(ModuleDescription module, TensorDescription tensor) {
    return module.name().isEmpty() ? tensor.name() : module.name() + "." + tensor.name();
  }

  private static String joined(String first, String second) {
    return first.isEmpty() || second.isEmpty() ? first + second : first + "; " + second;
  }

  private static String className(ModuleDescription module) {
    return module.typesInferred() && !module.type().isEmpty() ? "~" + module.type() : module.type();
  }

  private String shape(TensorDescription tensor) {
    return tensor.shape().isEmpty()
        ? "scalar"
        : tensor.shape().stream()
            .map(String::valueOf)
            .collect(Collectors.joining(out().symbol("×", "x")));
  }

  private static JsonDocument document(
      QuantizableModel model,
      Optional<QuantizationReport> report,
      Optional<Verification> verification) {
    Map<String, List<String>> namesByStorage = new HashMap<>();
    for (ModuleDescription module : withRoot(model)) {
      for (TensorDescription tensor : module.tensors()) {
        namesByStorage
            .computeIfAbsent(tensor.storage(), key -> new ArrayList<>())
            .add(qualified(module, tensor));
      }
    }
    return new JsonDocument()
        .put("path", model.source())
        .put("format", model.format())
        .put("tensor_bytes", model.tensorBytes())
        .put(
            "modules",
            withRoot(model).stream().map(module -> document(module, namesByStorage)).toList())
        .put(
            "report",
            report
                .map(made -> PlanDocument.of(made, new StoredModules(model.modules())))
                .orElse(null))
        .put("verification", verification.map(VerificationDocument::of).orElse(null));
  }

  private static JsonDocument document(
      ModuleDescription module, Map<String, List<String>> namesByStorage) {
    return new JsonDocument()
        .put("name", module.name())
        .put("names", module.names())
        .put("class", module.type())
        .put("classes", module.types())
        .put("class_inferred", module.typesInferred())
        .put(
            "tensors",
            module.tensors().stream()
                .map(
                    tensor -> {
                      String name = qualified(module, tensor);
                      List<String> others =
                          namesByStorage.getOrDefault(tensor.storage(), List.of()).stream()
                              .filter(other -> !other.equals(name))
                              .toList();
                      return new JsonDocument()
                          .put("name", tensor.name())
                          .put("dtype", tensor.elementType())
                          .put("shape", tensor.shape())
                          .put("bytes", tensor.bytes())
                          .put("tied_to", others);
                    })
                .toList());
  }
}
