package dev.kvant.spark;

import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.Tensor;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.config.ConfigDocument;
import dev.kvant.runtime.data.NumpyReaderProvider;
import dev.kvant.spi.DataReader;
import dev.kvant.spi.DataRequest;
import dev.kvant.spi.Options;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** The classifiers of digits in examples/, and their scans as a DataFrame. */
final class Digits {

  static final Path EXAMPLES =
      Path.of("..", "..", "examples", "digits").toAbsolutePath().normalize();
  static final Path MODEL = EXAMPLES.resolve("models/resnet.onnx");
  static final Path SCANS = EXAMPLES.resolve("data/calibration.npz");

  static final Path TEST = EXAMPLES.resolve("data/test.npz");
  static final Path IMAGES = EXAMPLES.resolve("images/calibration");

  static final String SPEC =
      """
      quantize:
        backend: onnx
        mode: static_ptq
        algorithm: entropy
        default_layer_dtype: int8
        default_activation_dtype: int8
        calibration: { batch_size: 16 }
      """;

  private static final DataType LISTS = listOf(listOf(listOf(DataTypes.FloatType)));

  private Digits() {}

  private static DataType listOf(DataType element) {
    return DataTypes.createArrayType(element, false);
  }

  /** The 256 scans for calibration as rows of nested lists, [1, 8, 8]. */
  static Dataset<Row> scans(SparkSession spark, int partitions) {
    List<Row> rows = new ArrayList<>();
    for (Tensor scan : array(SCANS, "input")) {
      rows.add(RowFactory.create((Object) nested(scan.toFloats())));
    }
    return frame(spark, rows, partitions, new StructType().add("input", LISTS));
  }

  /** The 600 scans for tests with their labels. */
  static Dataset<Row> labelled(SparkSession spark, int partitions) {
    List<Tensor> scans = array(TEST, "input");
    List<Tensor> labels = array(TEST, DataReader.LABEL);
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < scans.size(); i++) {
      rows.add(RowFactory.create(nested(scans.get(i).toFloats()), labels.get(i).toLongs()[0]));
    }
    return frame(
        spark,
        rows,
        partitions,
        new StructType().add("input", LISTS).add(DataReader.LABEL, DataTypes.LongType));
  }

  private static Dataset<Row> frame(
      SparkSession spark, List<Row> rows, int partitions, StructType schema) {
    return spark.createDataFrame(
        JavaSparkContext.fromSparkContext(spark.sparkContext()).parallelize(rows, partitions),
        schema);
  }

  /** An array of a file, sample by sample. */
  private static List<Tensor> array(Path file, String name) {
    List<Tensor> samples = new ArrayList<>();
    var numpy = new NumpyReaderProvider();
    var options = Options.of(numpy.descriptor().options(), Map.of());
    try (DataReader reader = numpy.open(new DataRequest(file, options, List.of(), remark -> {}))) {
      for (var block = reader.next(1); block.isPresent(); block = reader.next(1)) {
        samples.add(Objects.requireNonNull(block.get().tensors().get(name)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return samples;
  }

  private static float[][][] nested(float[] pixels) {
    float[][] lines = new float[8][8];
    for (int y = 0; y < 8; y++) {
      System.arraycopy(pixels, y * 8, lines[y], 0, 8);
    }
    return new float[][][] {lines};
  }

  /** The statistics file of one process, as {@code kvant calibrate} writes it. */
  static byte[] calibrated(String spec, Path model, Path data, Path folder) throws IOException {
    Path file = folder.resolve("one-process.statistics");
    try (Kvant kvant = Kvant.builder().parallelism(1).build();
        ModelQuantizer quantizer =
            kvant.quantizer(
                ConfigDocument.parse(spec).withModelPath(model).withCalibrationData(data));
        QuantizableModel opened = kvant.load(model)) {
      PreparedModel prepared = quantizer.prepare(opened);
      quantizer.calibrate(
          prepared,
          kvant.calibrationData(Objects.requireNonNull(quantizer.config().calibration()), opened));
      quantizer.saveStatistics(prepared, file);
    }
    return Files.readAllBytes(file);
  }

  /** What a file of statistics observed: without the fingerprints of the data, and the checksum. */
  static byte[] observed(byte[] file) throws IOException {
    var bytes = new ByteArrayInputStream(file);
    var in = new DataInputStream(bytes);
    in.skipNBytes("kvant statistics 1\n".length());
    in.readUTF();
    for (int data = in.readInt(); data > 0; data--) {
      in.readUTF();
    }
    byte[] rest = in.readAllBytes();
    return Arrays.copyOf(rest, rest.length - Long.BYTES);
  }
}
