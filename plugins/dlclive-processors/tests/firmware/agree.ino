// The state machine on the processor, with the time that the test gives it. A request is now (4 bytes), the number of bytes,
// the bytes; 0xFF instead of a number: the connection is made anew. The answer is the levels before and after the bytes, the size
// of the replies, the replies. Its first message is a request with the limits as its bytes.
//
// Licence: Apache-2.0

#include "dlclive_output.h"

static uint8_t text[256], replies[512];

static uint8_t next() {
  while (Serial.available() == 0) {}
  return Serial.read();
}

static uint32_t number(uint8_t size) {
  uint32_t value = 0;
  for (uint8_t b = 0; b < size; ++b) value |= uint32_t(next()) << (8 * b);
  return value;
}

void setup() { Serial.begin(500000); }

void loop() {
  static dlclive::Limits limits;
  limits.channels = next();
  limits.watchdog_us = number(4);
  limits.pulse_us = number(4);
  limits.train_us = number(4);
  limits.duty_permille = number(2);
  static dlclive::Device device(limits);
  Serial.write(1);
  for (;;) {
    const uint32_t now = number(4);
    const uint8_t size = next();
    for (uint8_t b = 0; size != 0xFF && b < size; ++b) text[b] = next();
    device.tick(now);
    Serial.write(device.levels());
    if (size == 0xFF) device.connect();
    uint8_t count = 0;
    for (uint8_t b = 0; size != 0xFF && b < size; ++b) {
      const size_t reply = device.receive(text[b], now) ? device.answer() : 0;
      memcpy(replies + count, device.reply, reply);
      count += reply;
    }
    Serial.write(device.levels());
    Serial.write(count);
    Serial.write(replies, count);
  }
}
