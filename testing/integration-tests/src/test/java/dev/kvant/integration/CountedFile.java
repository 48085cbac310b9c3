package dev.kvant.integration;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.spi.FileSystemProvider;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Counts how often a file is opened by way of its path. What native code opens by the path's text
 * is not counted.
 */
final class CountedFile {

  private final Path file;
  private final List<String> opens = new CopyOnWriteArrayList<>();
  private final FileSystem system;

  private CountedFile(Path file) {
    this.file = file.toAbsolutePath();
    this.system = new CountingSystem();
  }

  static CountedFile of(Path file) {
    return new CountedFile(file);
  }

  /** The file, so that opening it is counted. */
  Path path() {
    return counted(file);
  }

  /** Who opened it, one entry for each time. */
  List<String> opens() {
    return opens;
  }

  private void open(Path path) {
    if (path.equals(file)) {
      opens.add(
          StackWalker.getInstance()
              .walk(
                  frames ->
                      frames
                          .filter(frame -> frame.getClassName().startsWith("dev.kvant"))
                          .filter(frame -> !frame.getClassName().contains("CountedFile"))
                          .limit(4)
                          .map(
                              frame ->
                                  "%s.%s".formatted(frame.getClassName(), frame.getMethodName()))
                          .toList()
                          .toString()));
    }
  }

  private Path counted(Path path) {
    return (Path)
        Proxy.newProxyInstance(
            CountedFile.class.getClassLoader(),
            new Class<?>[] {Path.class, Counted.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("delegate")) {
                return path;
              }
              if (method.getName().equals("getFileSystem")) {
                return system;
              }
              try {
                Object result = method.invoke(path, plain(arguments));
                return result instanceof Path other ? counted(other) : result;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private static Object @Nullable [] plain(Object @Nullable [] arguments) {
    if (arguments == null) {
      return null;
    }
    Object[] plain = arguments.clone();
    for (int i = 0; i < plain.length; i++) {
      if (plain[i] instanceof Path path) {
        plain[i] = plain(path);
      }
    }
    return plain;
  }

  private static Path plain(Path path) {
    return path instanceof Counted counted ? counted.delegate() : path;
  }

  /** A path that this class made. */
  interface Counted {

    Path delegate();
  }

  private final class CountingSystem extends FileSystem {

    private final FileSystem delegate = file.getFileSystem();
    private final FileSystemProvider provider = new CountingProvider(delegate.provider());

    @Override
    public FileSystemProvider provider() {
      return provider;
    }

    @Override
    public void close() {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public boolean isReadOnly() {
      return delegate.isReadOnly();
    }

    @Override
    public String getSeparator() {
      return delegate.getSeparator();
    }

    @Override
    public Iterable<Path> getRootDirectories() {
      return delegate.getRootDirectories();
    }

    @Override
    public Iterable<FileStore> getFileStores() {
      return delegate.getFileStores();
    }

    @Override
    public Set<String> supportedFileAttributeViews() {
      return delegate.supportedFileAttributeViews();
    }

    @Override
    public Path getPath(String first, String... more) {
      return counted(delegate.getPath(first, more));
    }

    @Override
    public PathMatcher getPathMatcher(String syntaxAndPattern) {
      PathMatcher matcher = delegate.getPathMatcher(syntaxAndPattern);
      return path -> matcher.matches(plain(path));
    }

    @Override
    public UserPrincipalLookupService getUserPrincipalLookupService() {
      return delegate.getUserPrincipalLookupService();
    }

    @Override
    public WatchService newWatchService() throws IOException {
      return delegate.newWatchService();
    }
  }

  private final class CountingProvider extends FileSystemProvider {

    private final FileSystemProvider delegate;

    CountingProvider(FileSystemProvider delegate) {
      this.delegate = delegate;
    }

    @Override
    public String getScheme() {
      return delegate.getScheme();
    }

    @Override
    public FileSystem newFileSystem(URI uri, Map<String, ?> environment) {
      throw new UnsupportedOperationException();
    }

    @Override
    public FileSystem getFileSystem(URI uri) {
      return system;
    }

    @Override
    public Path getPath(URI uri) {
      return counted(delegate.getPath(uri));
    }

    @Override
    public InputStream newInputStream(Path path, OpenOption... options) throws IOException {
      open(plain(path));
      return delegate.newInputStream(plain(path), options);
    }

    @Override
    public SeekableByteChannel newByteChannel(
        Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
        throws IOException {
      open(plain(path));
      return delegate.newByteChannel(plain(path), options, attributes);
    }

    @Override
    public FileChannel newFileChannel(
        Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
        throws IOException {
      open(plain(path));
      return delegate.newFileChannel(plain(path), options, attributes);
    }

    @Override
    public DirectoryStream<Path> newDirectoryStream(
        Path path, DirectoryStream.Filter<? super Path> filter) throws IOException {
      return delegate.newDirectoryStream(plain(path), filter);
    }

    @Override
    public void createDirectory(Path path, FileAttribute<?>... attributes) throws IOException {
      delegate.createDirectory(plain(path), attributes);
    }

    @Override
    public void delete(Path path) throws IOException {
      delegate.delete(plain(path));
    }

    @Override
    public void copy(Path source, Path target, CopyOption... options) throws IOException {
      Files.copy(plain(source), plain(target), options);
    }

    @Override
    public void move(Path source, Path target, CopyOption... options) throws IOException {
      Files.move(plain(source), plain(target), options);
    }

    @Override
    public boolean isSameFile(Path path, Path other) throws IOException {
      return delegate.isSameFile(plain(path), plain(other));
    }

    @Override
    public boolean isHidden(Path path) throws IOException {
      return delegate.isHidden(plain(path));
    }

    @Override
    public FileStore getFileStore(Path path) throws IOException {
      return delegate.getFileStore(plain(path));
    }

    @Override
    public void checkAccess(Path path, AccessMode... modes) throws IOException {
      delegate.checkAccess(plain(path), modes);
    }

    @Override
    public <V extends FileAttributeView> @Nullable V getFileAttributeView(
        Path path, Class<V> type, LinkOption... options) {
      return delegate.getFileAttributeView(plain(path), type, options);
    }

    @Override
    public <A extends BasicFileAttributes> A readAttributes(
        Path path, Class<A> type, LinkOption... options) throws IOException {
      return delegate.readAttributes(plain(path), type, options);
    }

    @Override
    public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options)
        throws IOException {
      return delegate.readAttributes(plain(path), attributes, options);
    }

    @Override
    public void setAttribute(Path path, String attribute, Object value, LinkOption... options)
        throws IOException {
      delegate.setAttribute(plain(path), attribute, value, options);
    }
  }
}
