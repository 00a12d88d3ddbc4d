import com.sun.net.httpserver.HttpServer;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Executors;

/** An HTTP server with four threads; /file writes and reads one, /child starts a process. The JVM itself ends on SIGTERM. */
public class Serve {
  static byte[] answer(String path) throws Exception {
    switch (path) {
      case "/file":
        Path file = Files.createTempFile("serve", null);
        Files.write(file, new byte[65536]);
        return String.valueOf(Files.readAllBytes(file).length).getBytes();
      case "/child":
        return new ProcessBuilder("/bin/uname", "-m").start().getInputStream().readAllBytes();
      default:
        return "ready".getBytes();
    }
  }

  public static void main(String[] arguments) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress(8080), 16);
    server.setExecutor(Executors.newFixedThreadPool(4));
    server.createContext("/", exchange -> {
      try (OutputStream out = exchange.getResponseBody()) {
        byte[] body = answer(exchange.getRequestURI().getPath());
        exchange.sendResponseHeaders(200, body.length);
        out.write(body);
      } catch (Exception error) {
        error.printStackTrace();
      }
    });
    server.start();
  }
}
