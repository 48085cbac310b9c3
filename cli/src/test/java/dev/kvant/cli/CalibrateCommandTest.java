package dev.kvant.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CalibrateCommandTest {

  @TempDir private Path folder;
  private Models models;

  @BeforeEach
  void write() {
    models = new Models(folder);
    models.model(Models.SMALL);
  }

  private Session calibrate(String... arguments) {
    String[] all = new String[arguments.length + 5];
    all[0] = "calibrate";
    all[1] = "-c";
    all[2] = models.spec().toString();
    all[3] = "--statistics";
    all[4] = folder.resolve("statistics").toString();
    System.arraycopy(arguments, 0, all, 5, arguments.length);
    return Session.run(all);
  }

  @Test
  void requires_data() {
    Session session = calibrate();

    assertThat(session.exitCode()).isEqualTo(2);
    assertThat(session.err())
        .contains("quantize.calibration.path: is required; set it or give --calibration PATH");
    assertThat(folder.resolve("statistics")).doesNotExist();
  }

  @Test
  void is_refused_where_the_backend_uses_no_data() {
    Path data =
        new NpzWriter().floats("input", new float[] {1, 2}, 1, 2).write(folder.resolve("data.npz"));

    Session session = calibrate("--calibration", data.toString());

    assertThat(session.exitCode()).isEqualTo(1);
    assertThat(session.err())
        .contains(
            "error: backend 'text' in weight_only_ptq uses no calibration data, so that there are"
                + " no statistics to write");
    assertThat(folder.resolve("statistics")).doesNotExist();
  }
}
