import dev.kvant.api.CalibrationConfig;
import dev.kvant.api.ModelQuantizer;
import dev.kvant.api.PreparedModel;
import dev.kvant.api.QuantizableModel;
import dev.kvant.api.Tensor;
import dev.kvant.api.TensorBatch;
import dev.kvant.runtime.Kvant;
import dev.kvant.runtime.config.ConfigDocument;
import dev.kvant.spark.SparkCalibration;
import dev.kvant.spark.SparkSpec;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import scala.Tuple2;

/**
 * Calibrates a model once and prints one line: seconds of calibration, processor seconds of the
 * process that needed most, and of all processes.
 *
 * <p>Speed WORKERS MODEL SPEC DATA STATISTICS
 *
 * <p>WORKERS 0 means one process with one thread, without Spark. Otherwise executors run in
 * processes of their own, and the time begins when they are there.
 */
final class Speed {

  public static void main(String[] arguments) throws Exception {
    int workers = Integer.parseInt(arguments[0]);
    Path model = Path.of(arguments[1]).toAbsolutePath();
    String spec = Files.readString(Path.of(arguments[2]));
    Path data = Path.of(arguments[3]).toAbsolutePath();
    Path statistics = Path.of(arguments[4]).toAbsolutePath();
    if (workers == 0) {
      alone(model, spec, data, statistics);
    } else {
      withSpark(workers, model, spec, data, statistics);
    }
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  private static double cpu(ProcessHandle process) {
    return process.info().totalCpuDuration().orElseThrow().toMillis() / 1e3;
  }

  private static void print(double seconds, double most, double all, Path statistics)
      throws Exception {
    System.out.printf("%.2f %.2f %.2f %s%n", seconds, most, all, observed(statistics));
  }

  /** The hash of what was observed: of a file without the fingerprints of the data, and its checksum. */
  private static String observed(Path file) throws Exception {
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    in.position("kvant statistics 1\n".length());
    in.position(in.getShort() + in.position());
    for (int data = in.getInt(); data > 0; data--) {
      in.position(in.getShort() + in.position());
    }
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    digest.update(bytes, in.position(), bytes.length - in.position() - Long.BYTES);
    return HexFormat.of().formatHex(digest.digest(), 0, 8);
  }

  private static void alone(Path model, String spec, Path data, Path statistics) throws Exception {
    double before = cpu(ProcessHandle.current());
    long start = System.nanoTime();
    try (Kvant kvant = Kvant.builder().parallelism(1).build();
        ModelQuantizer quantizer =
            kvant.quantizer(
                ConfigDocument.parse(spec).withModelPath(model).withCalibrationData(data));
        QuantizableModel opened = kvant.load(model)) {
      PreparedModel prepared = quantizer.prepare(opened);
      quantizer.calibrate(
          prepared, kvant.calibrationData(quantizer.config().calibration(), opened));
      quantizer.saveStatistics(prepared, statistics);
    }
    double used = cpu(ProcessHandle.current()) - before;
    print(seconds(start), used, used, statistics);
  }

  private static void withSpark(int workers, Path model, String spec, Path data, Path statistics)
      throws Exception {
    Files.createDirectories(Path.of(System.getenv("SPARK_HOME"), "jars"));
    SparkSession spark =
        SparkSession.builder()
            .master("local-cluster[%d,1,2048]".formatted(workers))
            .config("spark.ui.enabled", false)
            .config("spark.scheduler.minRegisteredResourcesRatio", "1")
            .config("spark.executor.memory", "2g")
            .config("spark.executor.extraClassPath", System.getProperty("java.class.path"))
            .config("spark.executorEnv.SPARK_SCALA_VERSION", "2.13")
            .getOrCreate();
    var rows = rows(spark, workers, model, spec, data);
    Map<String, ProcessHandle> executors = executors(spark, workers);
    Map<String, Double> before = new TreeMap<>();
    executors.forEach((id, process) -> before.put(id, cpu(process)));
    double driver = cpu(ProcessHandle.current());
    long start = System.nanoTime();
    SparkCalibration.observe(rows, model.toString(), SparkSpec.of(spec))
        .save(statistics.toUri().toString(), spark.sparkContext().hadoopConfiguration());
    double took = seconds(start);
    double most = 0;
    double all = cpu(ProcessHandle.current()) - driver;
    for (Map.Entry<String, ProcessHandle> executor : executors.entrySet()) {
      double used = cpu(executor.getValue()) - before.get(executor.getKey());
      most = Math.max(most, used);
      all += used;
    }
    print(took, most, all, statistics);
    spark.stop();
  }

  /** The samples as rows of lists, in as many partitions as there are workers. */
  private static org.apache.spark.sql.Dataset<Row> rows(
      SparkSession spark, int workers, Path model, String spec, Path data) {
    List<Row> rows = new ArrayList<>();
    StructType schema = new StructType();
    try (Kvant kvant = Kvant.create();
        QuantizableModel opened = kvant.load(model)) {
      var config = CalibrationConfig.builder(data).batchSize(1).build();
      for (TensorBatch batch : kvant.calibrationData(config, opened)) {
        if (schema.isEmpty()) {
          for (String name : batch.inputs().keySet()) {
            schema = schema.add(name, DataTypes.createArrayType(DataTypes.LongType, false));
          }
        }
        rows.add(
            RowFactory.create(batch.inputs().values().stream().map(Tensor::toLongs).toArray()));
      }
    }
    return spark.createDataFrame(
        JavaSparkContext.fromSparkContext(spark.sparkContext()).parallelize(rows, workers), schema);
  }

  private static Map<String, ProcessHandle> executors(SparkSession spark, int workers)
      throws Exception {
    Map<String, ProcessHandle> executors = new TreeMap<>();
    List<Integer> tasks = new ArrayList<>();
    for (int i = 0; i < workers; i++) {
      tasks.add(i);
    }
    while (executors.size() < workers) {
      JavaSparkContext.fromSparkContext(spark.sparkContext())
          .parallelize(tasks, workers)
          .mapToPair(Speed::process)
          .collect()
          .forEach(each -> executors.put(each._1(), ProcessHandle.of(each._2()).orElseThrow()));
    }
    return executors;
  }

  /** Long enough that each executor gets one task. */
  private static Tuple2<String, Long> process(Integer number) throws Exception {
    Thread.sleep(1000);
    return new Tuple2<>(SparkEnv.get().executorId(), ProcessHandle.current().pid());
  }
}
