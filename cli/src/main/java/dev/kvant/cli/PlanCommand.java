package dev.kvant.cli;

import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.QuantizationPlan;
import dev.kvant.cli.output.Screens;
import dev.kvant.report.ModelDocument;
import dev.kvant.report.PlanDocument;
import dev.kvant.report.StoredModules;
import dev.kvant.runtime.Kvant;
import java.util.Objects;
import java.util.Optional;
import picocli.CommandLine.Command;

/** Shows what would be done. */
@Command(
    name = PlanCommand.NAME,
    customSynopsis = {
      "kvant plan MODEL [--data PATH] [OPTIONS] [key=value ...]",
      "kvant plan -c SPEC [--data PATH] [OPTIONS] [key=value ...]"
    },
    description = {
      "Shows what 'quantize' would do to each module, and writes nothing.",
      "Takes the model, the spec, the data and overrides as 'quantize' does."
    },
    footer = {
      "  kvant plan model.onnx",
      "  kvant plan -c examples/digits/torchao-int8.yaml --model my_model.pt"
    })
final class PlanCommand extends SpecCommand {

  static final String NAME = "plan";

  PlanCommand(Screens screens, Installations installations) {
    super(screens, installations);
  }

  @Override
  public Integer call() {
    checkUsage();
    try (Reporter reporter = new Reporter(err());
        Kvant kvant = open(reporter)) {
      UsedSpec spec = spec(kvant);
      try (ModelQuantizer quantizer = kvant.quantizer(spec.document().withoutResultsDir());
          QuantizableModel model =
              kvant.load(Objects.requireNonNull(quantizer.config().modelPath()))) {
        show(reporter, model, quantizer.prepare(model).plan(), spec.made(quantizer.config()));
      }
    }
    return ExitCode.DONE;
  }

  private void show(
      Reporter reporter, QuantizableModel model, QuantizationPlan plan, Optional<MadeSpec> made) {
    reporter.done();
    StoredModules stored = new StoredModules(model.modules());
    print(
        () ->
            PlanDocument.of(plan, stored)
                .put("model", ModelDocument.of(model))
                .put("spec", made.map(MadeSpec::document)),
        () -> {
          made.ifPresent(spec -> spec.print(out()));
          out()
              .line(
                  "%s, %s: backend %s, mode %s"
                      .formatted(model.source(), model.format(), plan.backend(), plan.mode()));
          out().line();
          ModuleTable.ofPlan(plan, stored, isAll()).print(out());
        });
  }
}
