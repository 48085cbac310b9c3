package dev.kvant.cli;

import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.cli.output.Screens;
import dev.kvant.runtime.Kvant;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows what would be done. */
@Command(
    name = "plan",
    description = {
      "Shows what 'quantize' would do to each module, and writes nothing.",
      "Takes the same arguments."
    },
    sortOptions = false,
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n",
    exitCodeListHeading = Subcommand.EXIT_CODES_HEADING,
    exitCodeList = {Subcommand.EXIT_DONE, Subcommand.EXIT_FAILED, Subcommand.EXIT_WRONG_INPUT},
    footerHeading = "%nExample:%n",
    footer = "  kvant plan -c examples/digits/torchao-int8.yaml --model my_model.pt")
final class PlanCommand extends Subcommand {

  private final Installations installations;

  @Mixin
  @SuppressWarnings("NullAway.Init")
  private SpecOptions spec;

  @Option(names = "--all", description = "Show each module of a long model in a row of its own.")
  private boolean all;

  PlanCommand(Screens screens, Installations installations) {
    super(screens);
    this.installations = installations;
  }

  @Override
  public Integer call() {
    try (Reporter reporter = new Reporter(err());
        Kvant kvant = installations.open(reporter);
        ModelQuantizer quantizer = kvant.quantizer(spec.document().withoutResultsDir());
        QuantizableModel model = kvant.load(Required.modelPath(quantizer.config()))) {
      QuantizationPlan plan = quantizer.prepare(model).plan();
      reporter.done();
      StoredModules stored = new StoredModules(model.modules());
      print(
          PlanDocument.of(plan, stored).put("model", ModelDocument.of(model)),
          () -> {
            out()
                .line(
                    "%s, %s: backend %s, mode %s"
                        .formatted(model.source(), model.format(), plan.backend(), plan.mode()));
            out().line();
            ModuleTable.ofPlan(plan, stored, all).print(out());
          });
    }
    return ExitCode.DONE;
  }
}
