// A 32-bit program that needs no 32-bit C library, for test_record.py: getppid, socket(AF_ALG, 5, 7) and exit.
void _start(void) {
  int result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(64));
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(359), "b"(38), "c"(5), "d"(7));
  __asm__ volatile("int $0x80" : : "a"(1), "b"(0));
}
