package dev.kvant.backend.modelopt;

import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.CalibrationDataset;
import dev.kvant.api.NonFiniteValues;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.runtime.data.CalibrationFiles;
import dev.kvant.runtime.data.DataReaders;
import dev.kvant.runtime.data.NumpyReaderProvider;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Random;

/** What the models of the tests are run on. */
final class Data {

  private static final Path SCANS = Path.of("../examples/digits/data/calibration.npz");

  private Data() {}

  /** Scans of digits, 256 of them. */
  static CalibrationDataset scans(int batchSize) {
    return new CalibrationFiles(
        new DataReaders(List.of(new NumpyReaderProvider())),
        CalibrationConfig.builder(SCANS).batchSize(batchSize).build(),
        List.of(),
        remark -> {});
  }

  /** Scans that are all the same number. */
  static CalibrationDataset constant(float value, long... shape) {
    long elements = 1;
    for (long extent : shape) {
      elements *= extent;
    }
    float[] values = new float[(int) elements];
    Arrays.fill(values, value);
    return CalibrationDataset.of(List.of(TensorBatch.of(Tensor.ofFloats(values, shape))));
  }

  /** A data set of batches whose values that are not finite are ignored. */
  static CalibrationDataset ignoring(TensorBatch... batches) {
    return new CalibrationDataset() {
      @Override
      public Iterator<TensorBatch> iterator() {
        return List.of(batches).iterator();
      }

      @Override
      public NonFiniteValues nonFinite() {
        return NonFiniteValues.IGNORE;
      }
    };
  }

  /** What the models of torch-format's tests take. */
  static CalibrationDataset tokens() {
    var random = new Random(5);
    List<TensorBatch> batches = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      batches.add(TensorBatch.of(Tensor.ofLongs(random.longs(48, 0, 50).toArray(), 4, 12)));
    }
    return CalibrationDataset.of(batches);
  }
}
