package dev.kvant.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;

class ArchiveFuzzTest {

  @FuzzTest
  void opens(byte[] bytes) {
    Input input = new Input(bytes);
    input.mayOnlyBeRefused(() -> Models.inspect(input.file("archive.pt")));
  }
}
