package dev.kvant.cli;

import dev.kvant.api.Device;
import dev.kvant.api.EvaluationConfig;
import dev.kvant.api.EvaluationGates;
import dev.kvant.cli.output.Screens;
import dev.kvant.cli.output.Style;
import dev.kvant.report.EvaluationResult;
import dev.kvant.report.JsonDocument;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.evaluation.Evaluation;
import dev.kvant.runtime.evaluation.RetrievalRequest;
import dev.kvant.runtime.evaluation.RetrievalSimilarity;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs a model on data and prints its figures. */
@Command(
    name = EvaluateCommand.NAME,
    description = {
      "Runs a model on data and measures accuracy, similarity to a reference model, size and"
          + " latency.",
      "Top-1 is the share of samples whose label is the index of the largest value in the first"
          + " output, top-5 that of one of the five largest. labels=boxes compares the boxes of a"
          + " detector (mAP of COCO), labels=text texts that are read by CTC (character error"
          + " rate). With a reference: the cosine similarity of the two models' outputs, mean and"
          + " min over all samples, and the signal-to-noise ratio. Latency is the median time for"
          + " one batch."
    },
    exitCodeList = {
      Subcommand.EXIT_DONE,
      Subcommand.EXIT_FAILED,
      Subcommand.EXIT_WRONG_INPUT,
      "3:a gate (--min-top1, --min-cosine, --min-recall, gates) was not passed",
      Subcommand.EXIT_INTERRUPTED
    },
    footer = {
      "  kvant evaluate results/digits-torchao-int8/quantized_model_torchao.pt \\",
      "      --reference examples/digits/models/resnet_traced.pt \\",
      "      --data examples/digits/data/test.npz --min-top1 0.99"
    })
final class EvaluateCommand extends Subcommand {

  static final String NAME = "evaluate";

  @Parameters(index = "0", paramLabel = "MODEL", description = "A model that can be run.")
  @SuppressWarnings("NullAway.Init")
  private Path path;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      required = true,
      description =
          "The samples: an .npz file with arrays named like the model's inputs, or whatever an"
              + " installed data reader reads, such as texts or images. An array 'input' also feeds"
              + " a single input of another name; an array 'label' holds the correct class of each"
              + " sample, an integer.")
  @SuppressWarnings("NullAway.Init")
  private Path dataPath;

  @Parameters(
      index = "1..*",
      paramLabel = "key=value",
      arity = "0..*",
      description =
          "Settings as in a spec's evaluation, those of the data reader among them:"
              + " tokenizer=tokenizer.json, labels=boxes, gates.min_map=0.35.")
  private List<String> settings = new ArrayList<>();

  @Option(
      names = "--reference",
      paramLabel = "MODEL",
      description = "The model to compare with, usually the original.")
  private @Nullable Path reference;

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      description = "The number of samples in a batch. Default: the model's, else 32.")
  private @Nullable Integer batchSize;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "cpu",
      description = "The device that runs the models: cpu, cuda or cuda:N. Default: cpu.")
  @SuppressWarnings("NullAway.Init")
  private String device;

  @Option(
      names = "--min-top1",
      paramLabel = "SHARE",
      description = "A gate: the minimum share of correct samples, 0 to 1.")
  private @Nullable Double minTop1;

  @Option(
      names = "--min-cosine",
      paramLabel = "COSINE",
      description = "A gate: the minimum mean cosine similarity to the reference, -1 to 1.")
  private @Nullable Double minCosine;

  @Mixin private EmbeddingOptions embeddings = new EmbeddingOptions();

  @Option(
      names = "--min-recall",
      paramLabel = "SHARE",
      description =
          "A gate: the minimum share of the reference's first K texts that the model's first K hold, 0"
              + " to 1.")
  private @Nullable Double minRecall;

  EvaluateCommand(Screens screens, Installations installations) {
    super(screens, installations);
  }

  @Override
  public Integer call() {
    if (batchSize != null && batchSize < 1) {
      throw wrongUsage("--batch-size must be at least 1, not " + batchSize);
    }
    if (minCosine != null && reference == null) {
      throw wrongUsage("--min-cosine needs a --reference to compare with");
    }
    RetrievalRequest retrieval = retrieval();
    Device where = Device.of(device);
    if (!where.isKnown()) {
      throw wrongUsage("--device must be cpu, cuda or cuda:N, not '%s'".formatted(device));
    }
    Evaluation evaluation;
    EvaluationGates gates;
    @Nullable RetrievalSimilarity found;
    try (Reporter reporter = new Reporter(err());
        Kvant kvant = open(reporter)) {
      EvaluationConfig data = kvant.evaluation(dataPath, batchSize, settings);
      gates = gates(data);
      evaluation = kvant.evaluate(path, reference, data, where);
      found =
          retrieval == null || reference == null
              ? null
              : kvant.compareRetrieval(path, reference, data, retrieval, where);
    }
    if (minTop1 != null && evaluation.top1(evaluation.model()) == null) {
      throw wrongUsage("--min-top1 needs an array 'label' in " + dataPath);
    }
    List<String> failedGates = new ArrayList<>(evaluation.failed(gates));
    if (found != null) {
      gate("recall@" + found.k(), found.recall(), minRecall, failedGates);
    }
    EvaluationResult result = new EvaluationResult(dataPath, List.of(evaluation));
    EvaluationTable table = new EvaluationTable(result);
    table.warnings().forEach(each -> err().paragraph("warning: ", Style.WARNING, each));
    print(
        () -> document(result, found, gates, failedGates),
        () -> {
          table.print(out());
          if (found != null) {
            out().line();
            out().line(text(found));
          }
        });
    failedGates.forEach(gate -> err().paragraph("gate not passed: ", Style.ERROR, gate));
    return failedGates.isEmpty() ? ExitCode.DONE : ExitCode.GATE_FAILED;
  }

  /** Those of the settings, and those of the options. */
  private EvaluationGates gates(EvaluationConfig data) {
    EvaluationGates gates = data.gates();
    gates = minTop1 == null ? gates : gates.withMinTop1(minTop1);
    gates = minCosine == null ? gates : gates.withMinCosine(minCosine);
    if (gates.minCosine() != null && reference == null) {
      throw wrongUsage("gates.min_cosine needs a --reference to compare with");
    }
    return gates;
  }

  /** What is asked of embeddings, or null. */
  private @Nullable RetrievalRequest retrieval() {
    if (!embeddings.isGiven() && minRecall == null) {
      return null;
    }
    if (reference == null) {
      throw wrongUsage(
          "%s needs a --reference to compare with"
              .formatted(embeddings.isGiven() ? "--embeddings" : "--min-recall"));
    }
    refuse(embeddings.problem());
    return embeddings.request();
  }

  private static String text(RetrievalSimilarity found) {
    return String.format(
        Locale.ROOT,
        "each of %d texts searching among the others: recall@%d %.4f, nDCG@%d %.4f, rank correlation"
            + " of pair scores %.4f",
        found.texts(),
        found.k(),
        found.recall(),
        found.k(),
        found.ndcg(),
        found.spearman());
  }

  /** A NaN never passes. */
  private static void gate(
      String name, double value, @Nullable Double minimum, List<String> failed) {
    if (minimum != null && !(value >= minimum)) {
      failed.add(String.format(Locale.ROOT, "%s is %.6f, less than %s", name, value, minimum));
    }
  }

  private JsonDocument document(
      EvaluationResult result,
      @Nullable RetrievalSimilarity found,
      EvaluationGates gates,
      List<String> failedGates) {
    return result
        .document()
        .put(
            "retrieval",
            found == null
                ? null
                : new JsonDocument()
                    .put("texts", found.texts())
                    .put("k", found.k())
                    .put("recall", found.recall())
                    .put("ndcg", found.ndcg())
                    .put("spearman", found.spearman()))
        .put("gates", EvaluationResult.document(gates, failedGates).put("min_recall", minRecall));
  }
}
