import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Has llama.cpp say the likeliest next token of each line: {@code NextTokens MODEL PROMPTS OUT}. */
class NextTokens {
  public static void main(String[] arguments) throws Exception {
    List<String> tokens = new ArrayList<>();
    LlamaModel model = new LlamaModel(new ModelParameters().setModel(arguments[0]).setCtxSize(128).setThreads(1));
    for (String prompt : Files.readAllLines(Path.of(arguments[1]))) {
      tokens.add(model.complete(new InferenceParameters(prompt).setTemperature(0).setNPredict(1)));
    }
    Files.write(Path.of(arguments[2]), tokens);
    // Closing the model waits for its thread, sometimes for ever.
    Runtime.getRuntime().halt(0);
  }
}
