// The sketch itself, with the pins and the port of Arduino.h, for the tests.
#include "Arduino.h"
#include "dlclive_output.ino"

extern "C" {
void sketch_setup() { setup(); }
void sketch_loop(uint32_t now, int open, int room) {
  clock_us = now;
  Serial.open = open;
  Serial.room = room;
  loop();
}
void sketch_send(const uint8_t* text, size_t size) {
  memcpy(Serial.in, text, size);
  Serial.in_size = size;
  Serial.in_read = 0;
}
size_t sketch_take(uint8_t* text) {
  const size_t size = Serial.out_size;
  memcpy(text, Serial.out, size);
  Serial.out_size = 0;
  return size;
}
int sketch_mode(int pin) { return pins[pin].mode; }
int sketch_level(int pin) { return pins[pin].level; }
int sketch_highs(int pin) { return pins[pin].highs; }
}
