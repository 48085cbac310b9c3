package dev.kvant.cli;

import dev.kvant.api.QuantizationListener;
import dev.kvant.cli.output.Screen;
import dev.kvant.cli.output.Screens;
import dev.kvant.cli.output.Style;
import dev.kvant.cli.output.Table;
import dev.kvant.cli.output.Table.Cell;
import dev.kvant.cli.output.Table.Column;
import dev.kvant.report.JsonDocument;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.discovery.BrokenProvider;
import dev.kvant.runtime.discovery.Installation;
import dev.kvant.runtime.discovery.InstalledBackend;
import dev.kvant.runtime.discovery.InstalledPlugin;
import dev.kvant.runtime.discovery.InstalledProvider;
import dev.kvant.spi.Availability;
import dev.kvant.spi.BackendDescriptor;
import dev.kvant.spi.ModeDescriptor;
import dev.kvant.spi.OptionDescriptor;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

/** Shows what is installed. */
@Command(
    name = BackendsCommand.NAME,
    description = {
      "Shows the backends that are installed and what they can do, and what each plugin offers.",
      "Says of each whether it can work here, and what is wrong with those that cannot be used."
    },
    footer = "  kvant backends --format json")
final class BackendsCommand extends Subcommand {

  static final String NAME = "backends";

  BackendsCommand(Screens screens, Installations installations) {
    super(screens, installations);
  }

  @Override
  public Integer call() {
    try (Kvant kvant = open(QuantizationListener.NONE)) {
      Installation installation = kvant.backends();
      print(() -> document(installation), () -> show(installation));
      if (isVerbose()) {
        installation.broken().forEach(broken -> err().stackTrace(broken.cause()));
      }
    }
    return ExitCode.DONE;
  }

  private void show(Installation installation) {
    Screen out = out();
    if (installation.backends().isEmpty()) {
      out.line("No backend is installed.");
      showWhereToLook();
    }
    String gap = null;
    for (InstalledBackend backend : installation.backends()) {
      if (gap != null) {
        out.line(gap);
      }
      show(backend);
      gap = "";
    }
    if (!installation.plugins().isEmpty()) {
      out.line();
      plugins(installation).print(out);
    }
    section(
        "Cannot be used:", installation.broken().stream().map(BrokenProvider::toString).toList());
    section("In conflict:", installation.conflicts());
    section("Remarks:", installation.remarks());
  }

  private void showWhereToLook() {
    if (installations().directories().isEmpty()) {
      out()
          .line(
              "There is no folder of plugins; name one in the environment variable "
                  + Installations.PLUGINS_VARIABLE
                  + ".");
      return;
    }
    installations()
        .directories()
        .forEach(
            directory ->
                out()
                    .line(
                        installations().missing().contains(directory)
                            ? "The folder of plugins %s does not exist.".formatted(directory)
                            : "Plugins were looked for in %s.".formatted(directory)));
  }

  private static Table plugins(Installation installation) {
    Table table = Table.of(Column.text("plugin"), Column.text("parent"), Column.prose("offers"));
    for (InstalledPlugin plugin : installation.plugins()) {
      List<String> offers =
          installation.providers().stream()
              .filter(provider -> plugin.name().equals(provider.plugin()))
              .map(BackendsCommand::offer)
              .toList();
      table.row(
          plugin.name(),
          plugin.parent() == null ? "" : plugin.parent(),
          offers.isEmpty() ? "nothing" : String.join("; ", offers));
    }
    return table;
  }

  private static String offer(InstalledProvider provider) {
    String ids = String.join(", ", provider.ids());
    String offer =
        switch (provider.service()) {
          case BACKEND -> "backend " + ids;
          case FORMAT -> (provider.ids().size() == 1 ? "format " : "formats ") + ids;
          case RUNNER -> "runs " + ids;
          case SOURCE -> "models of " + provider.provider();
          case DATA_READER -> "data reader " + ids;
        };
    return provider.availability() instanceof Availability.Unavailable unavailable
            && provider.service() != InstalledProvider.Service.BACKEND
        ? "%s (not available: %s)".formatted(offer, unavailable.reason())
        : offer;
  }

  private void section(String heading, Collection<String> lines) {
    if (!lines.isEmpty()) {
      out().line();
      out().line(Cell.of(Style.WARNING, heading));
      lines.forEach(line -> out().paragraph("  - ", Style.WARNING, line));
    }
  }

  private void show(InstalledBackend installed) {
    Screen out = out();
    BackendDescriptor backend = installed.descriptor();
    out.line(Cell.of(Style.STRONG, backend.id()), Cell.of(" " + backend.version()));
    out.paragraph("  ", Style.PLAIN, backend.description());
    if (installed.availability() instanceof Availability.Unavailable unavailable) {
      out.paragraph("  not available: ", Style.WARNING, unavailable.reason());
    } else {
      field("available", "yes");
    }
    field("also called", String.join(", ", backend.aliases()));
    field("jar", installed.location());
    field("takes", String.join(", ", backend.formats()));
    field("writes", String.join(", ", backend.artifacts()));
    field("beside them", String.join(", ", backend.sideFiles()));
    out.line();
    indented(modes(backend));
    if (!backend.options().isEmpty()) {
      out.line();
      indented(options(backend));
    }
  }

  private void field(String name, String value) {
    if (!value.isEmpty()) {
      out().paragraph(String.format(Locale.ROOT, "  %-13s", name), Style.FAINT, value);
    }
  }

  private void indented(Table table) {
    table.print(out(), 2);
  }

  private static Table modes(BackendDescriptor backend) {
    Table table =
        Table.of(
            Column.text("mode"),
            Column.prose("weights"),
            Column.prose("activations"),
            Column.prose("algorithms"));
    backend
        .modes()
        .forEach(
            (mode, can) ->
                table.row(
                    mode,
                    joined(can.weights()),
                    can.activations().isEmpty() ? "left alone" : joined(can.activations()),
                    joined(can.algorithms())));
    return table;
  }

  private static Table options(BackendDescriptor backend) {
    Table table =
        Table.of(
            Column.text("backend_kwargs"),
            Column.prose("value"),
            Column.text("default"),
            Column.prose("meaning"));
    for (OptionDescriptor option : backend.options()) {
      table.row(option.key(), values(option), option.defaultValue(), option.description());
    }
    return table;
  }

  private static String values(OptionDescriptor option) {
    if (option.type() == OptionDescriptor.Type.NUMBER_OR_WORD) {
      return "number, " + String.join(", ", option.allowed());
    }
    return option.allowed().isEmpty() ? type(option) : String.join(", ", option.allowed());
  }

  private static String type(OptionDescriptor option) {
    return option.type().name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static String joined(Collection<?> values) {
    return values.stream().map(String::valueOf).collect(Collectors.joining(", "));
  }

  private JsonDocument document(Installation installation) {
    return new JsonDocument()
        .put("backends", installation.backends().stream().map(BackendsCommand::document).toList())
        .put("providers", installation.providers().stream().map(BackendsCommand::document).toList())
        .put("plugins", installation.plugins().stream().map(BackendsCommand::document).toList())
        .put("broken", installation.broken().stream().map(BackendsCommand::document).toList())
        .put("conflicts", installation.conflicts())
        .put("remarks", installation.remarks())
        .put("plugin_directories", installations().directories())
        .put("missing_plugin_directories", installations().missing());
  }

  private static JsonDocument document(InstalledProvider installed) {
    String reason = unavailableReason(installed.availability());
    return new JsonDocument()
        .put("service", installed.service().name().toLowerCase(Locale.ROOT))
        .put("ids", installed.ids())
        .put("provider", installed.provider())
        .put("location", installed.location())
        .put("plugin", installed.plugin())
        .put("available", reason == null)
        .put("unavailable_reason", reason);
  }

  private static JsonDocument document(InstalledPlugin plugin) {
    return new JsonDocument()
        .put("name", plugin.name())
        .put("location", plugin.location())
        .put("parent", plugin.parent());
  }

  private static @Nullable String unavailableReason(Availability availability) {
    return availability instanceof Availability.Unavailable unavailable
        ? unavailable.reason()
        : null;
  }

  private static JsonDocument document(InstalledBackend installed) {
    BackendDescriptor backend = installed.descriptor();
    String reason = unavailableReason(installed.availability());
    Map<String, JsonDocument> modes = new LinkedHashMap<>();
    backend.modes().forEach((mode, can) -> modes.put(mode.name(), document(can)));
    return new JsonDocument()
        .put("id", backend.id())
        .put("aliases", backend.aliases())
        .put("version", backend.version())
        .put("description", backend.description())
        .put("provider", installed.provider())
        .put("location", installed.location())
        .put("available", reason == null)
        .put("unavailable_reason", reason)
        .put("modes", modes)
        .put("formats", backend.formats())
        .put("artifacts", backend.artifacts())
        .put("side_files", backend.sideFiles())
        .put(
            "options",
            backend.options().stream()
                .map(
                    option ->
                        new JsonDocument()
                            .put("key", option.key())
                            .put("type", option.type().name().toLowerCase(Locale.ROOT))
                            .put("allowed", option.allowed())
                            .put("default", option.defaultValue())
                            .put("description", option.description()))
                .toList());
  }

  private static JsonDocument document(ModeDescriptor mode) {
    return new JsonDocument()
        .put("weights", mode.weights())
        .put("activations", mode.activations())
        .put("weight_granularities", mode.weightGranularities())
        .put("activation_granularities", mode.activationGranularities())
        .put("algorithms", mode.algorithms());
  }

  private static JsonDocument document(BrokenProvider broken) {
    return new JsonDocument()
        .put("service", broken.service())
        .put("provider", broken.provider())
        .put("location", broken.location())
        .put("reason", broken.reason())
        .put("cause", broken.cause());
  }
}
