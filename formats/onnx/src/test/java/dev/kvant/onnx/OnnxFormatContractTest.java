package dev.kvant.onnx;

import dev.kvant.spi.ModelFormat;
import dev.kvant.tck.ModelFormatContract;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;

@DisplayName("The ONNX format")
class OnnxFormatContractTest extends ModelFormatContract {

  @Override
  protected ModelFormat newFormat() {
    return new OnnxFormat();
  }

  @Override
  protected List<Path> samples() {
    return List.of(Models.RESNET, Models.model("inner"), Models.model("tied"));
  }
}
