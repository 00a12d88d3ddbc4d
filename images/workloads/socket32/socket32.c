// A 32-bit server: its calls reach the kernel through the i386 table, and its sockets through socketcall as well as
// through the calls of their own, so that both are in a recording. Answers "ready" to whoever connects to port 8080.
#include <linux/net.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void End(int number) {
  (void)number;
  _exit(0);
}

int main(void) {
  struct sigaction end;
  memset(&end, 0, sizeof end);
  end.sa_handler = End;
  if (sigaction(SIGTERM, &end, NULL) != 0) return 1;
  unsigned long arguments[] = {AF_INET, SOCK_STREAM, 0};
  const int old = (int)syscall(SYS_socketcall, SYS_SOCKET, arguments);
  if (old < 0) return 2;
  close(old);
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int one = 1;
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons(8080);
  if (server < 0 || setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0) return 3;
  if (bind(server, (struct sockaddr*)&address, sizeof address) != 0 || listen(server, 8) != 0) return 4;
  for (;;) {
    const int client = accept(server, NULL, NULL);
    if (client < 0) continue;
    if (write(client, "ready", 5) != 5) return 5;
    close(client);
  }
}
