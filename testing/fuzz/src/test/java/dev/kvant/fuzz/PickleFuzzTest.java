package dev.kvant.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.kvant.torch.pickle.PickleReader;
import dev.kvant.torch.pickle.PickleWriter;

class PickleFuzzTest {

  @FuzzTest
  void reads(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(() -> PickleWriter.write(PickleReader.read(bytes, "the input")));
  }
}
