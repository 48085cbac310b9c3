package dev.kvant.spark;

import dev.kvant.api.DataException;
import dev.kvant.api.KvantException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.spark.SparkFiles;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Files of every file system that Hadoop knows. What lies elsewhere than on this machine is copied
 * once for each executor, since Kvant reads and writes files by position.
 */
final class HadoopFiles implements Serializable {

  private static final long serialVersionUID = 1;

  private final SerializableConfiguration configuration;

  HadoopFiles(Configuration configuration) {
    this.configuration = new SerializableConfiguration(configuration);
  }

  /** The file system of a path; that of this machine without files of checksums beside others. */
  private FileSystem fileSystem(org.apache.hadoop.fs.Path path) throws IOException {
    FileSystem files = path.getFileSystem(configuration.value());
    return files instanceof LocalFileSystem local ? local.getRawFileSystem() : files;
  }

  /** Reads a small file whole, as text in UTF-8. */
  String text(String location) {
    var path = new org.apache.hadoop.fs.Path(location);
    try (InputStream in = fileSystem(path).open(path)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw unreadable(location, e);
    }
  }

  /** Copies a file to a local one. */
  void copy(String location, Path target) {
    var path = new org.apache.hadoop.fs.Path(location);
    try (InputStream in = fileSystem(path).open(path)) {
      Files.copy(in, target);
    } catch (IOException e) {
      throw unreadable(location, e);
    }
  }

  /**
   * A model as a local file or folder: in place where the file system is that of this machine, else
   * a copy that later tasks of the executor use too.
   *
   * @param location a path or URI of the file or folder. With a file, the files beside it whose
   *     names begin with its name are copied too, such as external data of ONNX
   * @throws DataException if it cannot be read
   */
  Path local(String location) {
    var path = new org.apache.hadoop.fs.Path(location);
    try {
      FileSystem files = fileSystem(path);
      if (files instanceof RawLocalFileSystem local) {
        return local.pathToFile(path).toPath();
      }
      FileStatus status = files.getFileStatus(path);
      Path cache =
          Path.of(SparkFiles.getRootDirectory(), "kvant-" + fingerprint(files, path, status));
      Path copy = cache.resolve(path.getName());
      return Files.exists(copy) ? copy : copied(files, status, cache).resolve(path.getName());
    } catch (IOException e) {
      throw unreadable(location, e);
    }
  }

  private static String fingerprint(
      FileSystem files, org.apache.hadoop.fs.Path path, FileStatus status) {
    String text =
        "%s %d %d"
            .formatted(files.makeQualified(path), status.getModificationTime(), status.getLen());
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** Copies beside the cache and renames, so that no task sees a part of a copy. */
  private static Path copied(FileSystem files, FileStatus status, Path cache) throws IOException {
    Path partial = cache.resolveSibling(cache.getFileName() + "." + UUID.randomUUID());
    Files.createDirectories(partial);
    try {
      if (status.isDirectory()) {
        files.copyToLocalFile(
            false, status.getPath(), new org.apache.hadoop.fs.Path(partial.toUri()), true);
      } else {
        String name = status.getPath().getName();
        for (FileStatus each : files.listStatus(status.getPath().getParent())) {
          if (each.isFile() && each.getPath().getName().startsWith(name)) {
            try (InputStream in = files.open(each.getPath())) {
              Files.copy(in, partial.resolve(each.getPath().getName()));
            }
          }
        }
      }
      Files.move(partial, cache, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileSystemException e) {
      // Another task of the executor was faster.
      if (!Files.exists(cache)) {
        throw e;
      }
    } finally {
      TaskFolder.remove(partial);
    }
    return cache;
  }

  /** Whether a file or folder is there. */
  boolean exists(String location) {
    var path = new org.apache.hadoop.fs.Path(location);
    try {
      return fileSystem(path).exists(path);
    } catch (IOException e) {
      throw unreadable(location, e);
    }
  }

  /** Writes a file, in place of one that is there. It is never seen in part. */
  void write(String location, byte[] content) {
    var path = new org.apache.hadoop.fs.Path(location);
    var partial =
        new org.apache.hadoop.fs.Path(
            path.getParent(), "." + path.getName() + "." + UUID.randomUUID());
    try {
      FileSystem files = fileSystem(path);
      try (OutputStream out = files.create(partial)) {
        out.write(content);
      }
      files.delete(path, false);
      rename(files, partial, path);
    } catch (IOException e) {
      throw unwritable(location, e);
    }
  }

  /** Copies a local folder to a folder that is not there yet. */
  void store(Path folder, String location) throws IOException {
    var path = new org.apache.hadoop.fs.Path(location);
    FileSystem files = fileSystem(path);
    files.mkdirs(path.getParent());
    files.copyFromLocalFile(false, true, new org.apache.hadoop.fs.Path(folder.toUri()), path);
  }

  /**
   * Gives a folder its final name.
   *
   * @param location where nothing is yet
   */
  void move(String from, String location) {
    var path = new org.apache.hadoop.fs.Path(location);
    try {
      FileSystem files = fileSystem(path);
      if (files.exists(path)) {
        throw new IOException("it exists already");
      }
      files.mkdirs(path.getParent());
      rename(files, new org.apache.hadoop.fs.Path(from), path);
    } catch (IOException e) {
      throw unwritable(location, e);
    }
  }

  private static void rename(
      FileSystem files, org.apache.hadoop.fs.Path from, org.apache.hadoop.fs.Path to)
      throws IOException {
    if (!files.rename(from, to)) {
      throw new IOException("%s cannot be renamed".formatted(from));
    }
  }

  /** Removes a folder, if it is there. */
  void remove(String location) {
    var path = new org.apache.hadoop.fs.Path(location);
    try {
      fileSystem(path).delete(path, true);
    } catch (IOException e) {
      throw unwritable(location, e);
    }
  }

  private static KvantException unwritable(String location, IOException e) {
    return new KvantException("%s cannot be written: %s".formatted(location, e), e);
  }

  private static KvantException unreadable(String location, IOException e) {
    return new DataException("%s cannot be read: %s".formatted(location, e), e);
  }
}
