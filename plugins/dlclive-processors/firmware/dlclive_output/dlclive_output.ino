// Outputs that switch themselves off: the sketch for Teensy and Arduino. The protocol is in ../README.md.
//
// Licence: Apache-2.0

#include "dlclive_output.h"

// ---- Set these for your rig, then upload. The host cannot exceed them. ------------------------------------------------

const uint8_t PINS[] = {13, 3};  // channel 0, channel 1, ...; 13 is the built-in LED on most boards

const dlclive::Limits LIMITS = {
    sizeof(PINS),
    50000UL,     // watchdog, us: outputs are switched off without a proof of life for this long
    1000000UL,   // longest continuous time on, us
    10000000UL,  // longest train of pulses of one command, us
    500,         // largest duty cycle, in thousandths
};

// -----------------------------------------------------------------------------------------------------------------------

dlclive::Device device(LIMITS);
bool connected = false;

void drive() {
  device.tick(micros());
  const uint8_t levels = device.levels();
  for (uint8_t c = 0; c < sizeof(PINS); ++c) digitalWrite(PINS[c], levels >> c & 1 ? HIGH : LOW);
}

void setup() {
  for (uint8_t c = 0; c < sizeof(PINS); ++c) {
    digitalWrite(PINS[c], LOW);  // before pinMode, so that the pin is never high in between
    pinMode(PINS[c], OUTPUT);
  }
  device.connect();
  Serial.begin(115200);  // boards with native USB ignore the number
}

void loop() {
  // On boards with native USB this is false while no program has the port open (DTR is low). On others it is always true:
  // opening the port restarts the board, and the watchdog does the rest.
  const bool now_connected = bool(Serial);
  if (now_connected != connected) {
    connected = now_connected;
    device.connect();
  }
  drive();
  for (uint8_t count = 1; Serial.available() > 0; ++count) {
    const bool complete = device.receive(uint8_t(Serial.read()), micros());
    if (!complete && count % 4 != 0) continue;  // bytes are read faster than they arrive, or they would wait
    drive();  // before the answer, so that the pin does not wait for it
    if (!complete) continue;
    const size_t size = device.answer();
    drive();
    // A host that does not read must not delay the watchdog, so an answer that would have to wait is dropped.
    if (Serial.availableForWrite() >= int(size)) Serial.write(device.reply, size);
    drive();
  }
}
