package dev.kvant.cli;

import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.cli.output.Screens;
import dev.kvant.runtime.Kvant;
import java.util.Objects;
import picocli.CommandLine.Command;

/** Shows what would be done. */
@Command(
    name = PlanCommand.NAME,
    description = {
      "Shows what 'quantize' would do to each module, and writes nothing.",
      "Takes the same arguments."
    },
    footer = "  kvant plan -c examples/digits/torchao-int8.yaml --model my_model.pt")
final class PlanCommand extends SpecCommand {

  static final String NAME = "plan";

  PlanCommand(Screens screens, Installations installations) {
    super(screens, installations);
  }

  @Override
  public Integer call() {
    try (Reporter reporter = new Reporter(err());
        Kvant kvant = open(reporter);
        ModelQuantizer quantizer = kvant.quantizer(document().withoutResultsDir());
        QuantizableModel model =
            kvant.load(Objects.requireNonNull(quantizer.config().modelPath()))) {
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
            ModuleTable.ofPlan(plan, stored, isAll()).print(out());
          });
    }
    return ExitCode.DONE;
  }
}
