import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.CacheType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Has llama.cpp say the likeliest next token of each line: {@code NextTokens MODEL PROMPTS OUT}.
 * Line feeds in tokens become {@code \n}.
 */
class NextTokens {
  public static void main(String[] arguments) throws Exception {
    List<String> tokens = new ArrayList<>();
    // With several threads and a cache of prompts, 2 of some 20 runs gave wrong tokens; the cause is unknown.
    LlamaModel model =
        new LlamaModel(
            new ModelParameters()
                .setModel(arguments[0])
                .setCtxSize(128)
                .setThreads(1)
                .setThreadsBatch(1)
                .setCacheTypeK(CacheType.F32)
                .setCacheTypeV(CacheType.F32));
    for (String prompt : Files.readAllLines(Path.of(arguments[1]))) {
      InferenceParameters parameters =
          new InferenceParameters(prompt).setTemperature(0).setNPredict(1).setCachePrompt(false);
      tokens.add(model.complete(parameters).replace("\n", "\\n"));
    }
    Files.write(Path.of(arguments[2]), tokens);
    // Closing the model waits for its thread, sometimes for ever.
    Runtime.getRuntime().halt(0);
  }
}
