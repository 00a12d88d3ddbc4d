// The process that holds a pod's namespaces: it sleeps, reaps what is re-parented to it, and ends at once when told to.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void Stop(int signal_number) {
  (void)signal_number;
  _exit(0);
}

static void Reap(int signal_number) {
  (void)signal_number;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
}

static int Handle(int signal_number, void (*handler)(int), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = flags;
  return sigaction(signal_number, &action, NULL);
}

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "-v") == 0) {
    puts("pause (Portcullis)");
    return 0;
  }
  // Handlers first: as process 1 of its namespace, a signal without one would be dropped.
  if (Handle(SIGTERM, Stop, 0) != 0 || Handle(SIGINT, Stop, 0) != 0) return 1;
  if (Handle(SIGCHLD, Reap, SA_NOCLDSTOP) != 0) return 1;
  Reap(SIGCHLD);  // children that ended before there was a handler
  for (;;) pause();
}
