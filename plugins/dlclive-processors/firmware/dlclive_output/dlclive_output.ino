// Outputs that switch themselves off: the sketch for Teensy and Arduino. The protocol is in ../README.md.
//
// Licence: Apache-2.0

#include "dlclive_output.h"

// ---- Set these for your rig, then upload. The host cannot exceed them. ------------------------------------------------

const uint8_t PINS[] = {13, 3};  // channel 0, channel 1, ...; 13 is the lamp on most boards

const dlclive::Limits LIMITS = {
    sizeof(PINS),
    50000UL,     // watchdog, us: off when no proof of life came for this long
    1000000UL,   // longest time on without a break, us
    10000000UL,  // longest train of pulses of one command, us
    500,         // largest share of the time on, in thousandths
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
    digitalWrite(PINS[c], LOW);  // before it is an output, so that it is never high in between
    pinMode(PINS[c], OUTPUT);
  }
  device.connect();
  Serial.begin(115200);  // boards with a USB port of their own ignore the number
}

void loop() {
  // On boards with a USB port of their own this is false while no program has the port open (DTR is low). On others it is
  // always true, opening the port restarts the board, and the watchdog does the rest.
  const bool now_connected = bool(Serial);
  if (now_connected != connected) {
    connected = now_connected;
    device.connect();
  }
  drive();
  while (Serial.available() > 0) {
    const size_t size = device.receive(uint8_t(Serial.read()), micros());
    // A host that does not read must not hold up the watchdog, so an answer that would have to wait is not given.
    if (size > 0 && Serial.availableForWrite() >= int(size)) Serial.write(device.reply, size);
    drive();
  }
}
