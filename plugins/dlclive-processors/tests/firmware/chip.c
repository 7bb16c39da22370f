// An Arduino's processor with its sketch, run by simavr. A request on standard input, an answer on standard output, and so on:
//
//   chip SKETCH.elf PROCESSOR BAUD RECORD.csv PIN...      PIN is a port and a bit, such as B5; one for each channel
//
// A request is "CYCLE BYTES": run until that cycle of the processor's clock, while these bytes (hexadecimal, or -) arrive at
// its serial port. The answer is "CYCLE LEVELS BYTES": the cycle reached, a bit for each channel that is high, and what the
// sketch sent. "reset" presses the reset button. The record has a line, "cycle,what,value", for each byte received (rx) and
// sent (tx), each change of the channels (pins), and each reset: all times in it are the processor's own.
//
// Compiled by the tests only. simavr is under the GPL-3; this file is ours.
//
// Licence: Apache-2.0

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "avr_ioport.h"
#include "avr_uart.h"
#include "sim_avr.h"
#include "sim_elf.h"

enum { CHANNELS = 8, WAITING = 1 << 16, FREQUENCY = 16000000 };

static avr_t *avr;
static avr_irq_t *serial_in;
static FILE *record;
static char ports[CHANNELS];
static int bits[CHANNELS], channels, levels, byte_cycles;
static unsigned char coming[WAITING], sent[WAITING];
static size_t come_from, come_to, sent_count;

static void note(const char *what, unsigned value) {
  fprintf(record, "%llu,%s,%u\n", (unsigned long long)avr->cycle, what, value);
}

// A pin drives its channel only while it is an output.
static void read_pins(avr_irq_t *irq, uint32_t value, void *unused) {
  (void)irq, (void)value, (void)unused;
  int now = 0;
  for (int c = 0; c < channels; ++c) {
    avr_ioport_state_t state;
    avr_ioctl(avr, AVR_IOCTL_IOPORT_GETSTATE(ports[c]), &state);
    now |= (state.port & state.ddr) >> bits[c] & 1 ? 1 << c : 0;
  }
  if (now == levels) return;
  levels = now;
  note("pins", levels);
}

static void receive_sent(avr_irq_t *irq, uint32_t value, void *unused) {
  (void)irq, (void)unused;
  note("tx", value & 0xFF);
  if (sent_count < WAITING) sent[sent_count++] = value;
}

// One byte, as long after the one before it as the baud rate demands.
static avr_cycle_count_t deliver(avr_t *chip, avr_cycle_count_t when, void *unused) {
  (void)chip, (void)unused;
  if (come_from == come_to) return 0;
  note("rx", coming[come_from]);
  avr_raise_irq(serial_in, coming[come_from++]);
  if (come_from == come_to) come_from = come_to = 0;
  return come_to ? when + byte_cycles : 0;
}

static void send(const char *text) {
  const int is_idle = come_from == come_to;
  unsigned byte;
  for (; come_to < WAITING && sscanf(text, "%2x", &byte) == 1; text += 2) coming[come_to++] = byte;
  if (is_idle && come_from != come_to) avr_cycle_timer_register(avr, byte_cycles, deliver, NULL);
}

static void reset(void) {
  come_from = come_to = sent_count = 0;
  avr_cycle_timer_cancel(avr, deliver, NULL);
  avr_reset(avr);
  note("reset", 0);
  read_pins(NULL, 0, NULL);
}

static void say_nothing(avr_t *chip, const int level, const char *format, va_list values) {
  (void)chip, (void)level, (void)format, (void)values;
}

static void start(const char *path, const char *processor) {
  avr_global_logger_set(say_nothing);
  elf_firmware_t sketch = {0};
  if (elf_read_firmware(path, &sketch)) exit(2);
  avr = avr_make_mcu_by_name(processor);
  if (!avr || avr_init(avr)) exit(2);
  sketch.frequency = FREQUENCY;
  avr_load_firmware(avr, &sketch);
  uint32_t flags = 0;  // neither print what the sketch sends nor sleep while it waits
  avr_ioctl(avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
  serial_in = avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
  avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), receive_sent, NULL);
  for (int c = 0; c < channels; ++c)
    avr_irq_register_notify(avr_io_getirq(avr, AVR_IOCTL_IOPORT_GETIRQ(ports[c]), bits[c]), read_pins, NULL);
}

int main(int count, char **arguments) {
  static char line[2 * WAITING + 64], text[2 * WAITING + 64];
  if (count < 6 || count > 5 + CHANNELS || !(record = fopen(arguments[4], "w"))) return 2;
  byte_cycles = FREQUENCY * 10 / atoi(arguments[3]);
  for (int a = 5; a < count; ++a, ++channels) ports[channels] = arguments[a][0], bits[channels] = arguments[a][1] - '0';
  FILE *answers = fdopen(dup(1), "w");
  dup2(2, 1);  // simavr prints messages of its own
  start(arguments[1], arguments[2]);
  while (fgets(line, sizeof line, stdin)) {
    unsigned long long target = 0;
    if (!strncmp(line, "reset", 5)) reset();
    else if (sscanf(line, "%llu %s", &target, text) != 2) return 2;
    else if (text[0] != '-') send(text);
    while (avr->cycle < target) {
      const int state = avr_run(avr);
      if (state == cpu_Done || state == cpu_Crashed) return 3;
    }
    fprintf(answers, "%llu %d ", (unsigned long long)avr->cycle, levels);
    for (size_t b = 0; b < sent_count; ++b) fprintf(answers, "%02x", sent[b]);
    fprintf(answers, sent_count ? "\n" : "-\n");
    sent_count = 0;
    fflush(record);
    fflush(answers);
  }
  return 0;
}
