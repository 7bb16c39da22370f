// The state machine that decides whether an output is on. It does not depend on Arduino, so that it can be tested on a
// computer.
//
// The protocol and its rationale are in ../README.md. The Python simulator runs the same logic, and a test drives both with
// the same random inputs. C++11, no standard library, no heap.
//
// Licence: Apache-2.0

#pragma once

#include <stddef.h>
#include <stdint.h>

namespace dlclive {

const uint8_t VERSION = 2;
const uint8_t MAX_CHANNELS = 8;
const uint8_t ALL_CHANNELS = 0xFF;
const uint8_t ANSWER = 0x80;  // an answer's type is its message's type with this bit set

enum Type : uint8_t { HELLO = 1, BEAT = 2, ON = 3, OFF = 4, BYE = 5, PROBE = 6, TIMES = 7 };

enum Status : uint8_t {
  DONE = 0,
  NO_HELLO = 1,      // no HELLO since power-up or since the connection was made
  STALE = 2,         // the message, or the host's last proof of life, is older than the watchdog allows
  BEYOND_LIMIT = 3,  // longer, or a higher duty cycle, than the limits allow
  TOO_SOON = 4,      // the output was on too recently for this pulse
  NO_CHANNEL = 5,
  MALFORMED = 6,
  WRONG_VERSION = 7,
};

// Limits that the device never exceeds, whatever the host requests.
struct Limits {
  uint8_t channels;
  uint32_t watchdog_us;    // outputs are switched off without a proof of life for this long
  uint32_t pulse_us;       // longest continuous time on
  uint32_t train_us;       // longest train of pulses of one command
  uint16_t duty_permille;  // largest duty cycle
};

class Device {
 public:
  explicit Device(const Limits& limits) : limits_(limits) {
    if (limits_.channels > MAX_CHANNELS) limits_.channels = MAX_CHANNELS;
    if (limits_.duty_permille > 1000) limits_.duty_permille = 1000;
    allowance_ = uint64_t(limits_.pulse_us) * (1000 - limits_.duty_permille);
    for (uint8_t c = 0; c < MAX_CHANNELS; ++c) channels_[c] = Channel();
  }

  // Call at power-up and whenever the connection is made or lost: everything is switched off, and a new HELLO is required.
  void connect() {
    all_off();
    greeted_ = alive_ = on_seen_ = probe_seen_ = false;
    probe_ = Probe();
    length_ = 0;
    overflow_ = false;
  }

  // Process one byte. True if it completed a message: then call `tick`, set the pins, and send `answer`, in this order.
  bool receive(uint8_t byte, uint32_t now) {
    if (byte != 0) {
      if (length_ < sizeof(frame_)) frame_[length_++] = byte;
      else overflow_ = true;
      return false;
    }
    const bool overflow = overflow_;
    const uint8_t length = length_;
    overflow_ = false;
    length_ = 0;
    if (length == 0 && !overflow) return false;  // messages are delimited by zeros on both sides
    uint8_t message[sizeof(frame_)];
    const uint8_t size = overflow ? 0 : unstuff(frame_, length, message);
    if (size < HEAD + 2 || crc(message, size - 2) != get16(message + size - 2)) {
      ++noise_;
      return false;
    }
    execute(message, size - 2, now);
    return true;
  }

  // The answer to the last message: writes `reply` and returns the number of its bytes.
  size_t answer() {
    uint8_t text[40];
    uint8_t size = 0;
    uint8_t active = 0;
    for (uint8_t c = 0; c < limits_.channels; ++c) active |= (channels_[c].active ? 1 : 0) << c;
    put(text, size, type_ | ANSWER, 1);
    put(text, size, sequence_, 2);
    put(text, size, received_, 4);
    put(text, size, status_, 1);
    put(text, size, active, 1);
    put(text, size, (greeted_ ? 1 : 0) | (alive_ ? 2 : 0), 1);
    put(text, size, trips_, 2);
    put(text, size, cuts_, 2);
    put(text, size, noise_, 2);
    if (type_ == HELLO) {
      put(text, size, VERSION, 1);
      put(text, size, limits_.channels, 1);
      put(text, size, limits_.watchdog_us, 4);
      put(text, size, limits_.pulse_us, 4);
      put(text, size, limits_.train_us, 4);
      put(text, size, limits_.duty_permille, 2);
    }
    if (type_ == TIMES) {
      put(text, size, (probe_.lit ? 1 : 0) | (probe_.answered ? 2 : 0), 1);
      put(text, size, probe_.lit_at, 4);
      put(text, size, probe_.answered_at, 4);
      put(text, size, probe_.rises, 2);
    }
    put(text, size, crc(text, size), 2);
    return stuff(text, size, reply);
  }

  // Advance the watchdog and the pulses. Call it as often as possible, and set the pins from `levels` right after it.
  void tick(uint32_t now) {
    advance(now);
    for (uint8_t c = 0; c < limits_.channels; ++c) {
      if (channels_[c].level && !channels_[c].driven) probe_.rise(c, now);
      channels_[c].driven = channels_[c].level;
    }
  }

  // One bit per channel, set while its pin is to be high.
  uint8_t levels() const {
    uint8_t bits = 0;
    for (uint8_t c = 0; c < limits_.channels; ++c) bits |= (channels_[c].level ? 1 : 0) << c;
    return bits;
  }

  uint8_t reply[64];

 private:
  static const uint8_t HEAD = 7;  // type, sequence (2), echo (4)

  struct Channel {
    bool active = false;     // a train of pulses is in progress
    bool begins = false;     // ... and begins at the next tick, when its pin is set
    bool level = false;      // its pin is to be high
    bool driven = false;     // its pin is high, since the last tick
    uint32_t started = 0;
    uint32_t width = 0, period = 0, duration = 0;
    uint64_t heat = 0;       // the used part of its allowance; see warm()
  };

  // The time from one pin to another: from an LED in the camera's view to the output that answers it.
  struct Probe {
    uint8_t led = MAX_CHANNELS, output = MAX_CHANNELS;
    bool armed = false;     // a PROBE was accepted, and its LED's pin was not set yet
    bool lit = false;       // it was, at lit_at
    bool answered = false;  // the output's pin was set after that, at answered_at
    uint32_t lit_at = 0, answered_at = 0;
    uint16_t rises = 0;     // how often the output's pin was set, since the first PROBE

    void rise(uint8_t channel, uint32_t now) {
      if (channel == led && armed) {
        armed = false;
        lit = true;
        lit_at = now;
      }
      if (channel != output) return;
      ++rises;
      if (lit && !answered) {
        answered = true;
        answered_at = now;
      }
    }
  };

  Limits limits_;
  uint64_t allowance_;
  Channel channels_[MAX_CHANNELS];
  bool greeted_ = false;
  bool alive_ = false;
  bool on_seen_ = false;     // on_sequence_ and on_status_ belong to an answered ON
  uint16_t on_sequence_ = 0;
  uint32_t on_at_ = 0;
  uint8_t on_status_ = DONE;
  bool probe_seen_ = false;  // probe_sequence_ and probe_status_ belong to an answered PROBE
  uint16_t probe_sequence_ = 0;
  uint8_t probe_status_ = DONE;
  Probe probe_;
  uint32_t proven_ = 0;      // time of the last proof of life
  uint32_t ticked_ = 0;
  uint16_t trips_ = 0, cuts_ = 0, noise_ = 0;
  uint8_t type_ = 0, status_ = DONE;  // of the last message, for its answer
  uint16_t sequence_ = 0;
  uint32_t received_ = 0;
  uint8_t frame_[48];
  uint8_t length_ = 0;
  bool overflow_ = false;

  void all_off() {
    for (uint8_t c = 0; c < MAX_CHANNELS; ++c) channels_[c].active = channels_[c].level = false;
  }

  void advance(uint32_t now) {
    const uint32_t step = now - ticked_;
    ticked_ = now;
    if (now - on_at_ >= 4 * limits_.watchdog_us) on_seen_ = probe_seen_ = false;  // sequence numbers wrap
    for (uint8_t c = 0; c < limits_.channels; ++c) warm(channels_[c], step);
    if (alive_ && now - proven_ >= limits_.watchdog_us) {
      alive_ = false;
      ++trips_;
      all_off();
    }
    for (uint8_t c = 0; c < limits_.channels; ++c) shape(channels_[c], now);
  }

  // The allowance_ is used up while the pin is high and recovers while it is low, so that neither one long pulse nor many
  // short ones, in one command or in many, exceed pulse_us at a time and duty_permille in the long run.
  void warm(Channel& channel, uint32_t step) {
    if (!channel.driven && channel.heat == 0) return;
    if (channel.driven) {
      channel.heat += product(step, 1000 - limits_.duty_permille);
    } else {
      const uint64_t back = product(step, limits_.duty_permille);
      channel.heat = channel.heat > back ? channel.heat - back : 0;
    }
  }

  // A 64-bit product takes an 8-bit processor long, and steps are short.
  static uint64_t product(uint32_t step, uint16_t permille) {
    return step < 4000000UL ? uint64_t(step * permille) : uint64_t(step) * permille;
  }

  void shape(Channel& channel, uint32_t now) {
    if (!channel.active) return;
    if (channel.begins) {
      channel.begins = false;
      channel.started = now;
    }
    const uint32_t elapsed = now - channel.started;
    if (elapsed >= channel.duration) {
      channel.active = channel.level = false;
      return;
    }
    channel.level = channel.period == 0 || elapsed % channel.period < channel.width;
    if (channel.level && channel.heat > allowance_) {  // only if tick came late; a second safeguard
      channel.active = channel.level = false;
      ++cuts_;
    }
  }

  bool fresh(uint32_t echo, uint32_t now) const { return now - echo < limits_.watchdog_us; }

  void execute(const uint8_t* message, uint8_t size, uint32_t now) {
    advance(now);
    const uint8_t type = message[0];
    const uint16_t sequence = get16(message + 1);
    const uint32_t echo = get32(message + 3);
    const uint8_t* values = message + HEAD;
    const uint8_t count = size - HEAD;
    uint8_t status = MALFORMED;
    if (type == HELLO && count == 1) {
      connect();
      greeted_ = values[0] == VERSION;
      status = greeted_ ? DONE : WRONG_VERSION;
    } else if (type == BEAT && count == 0) {
      status = beat(echo, now);
    } else if (type == ON && count == 13) {
      status = on(sequence, echo, values, now);
    } else if (type == OFF && count == 1) {
      status = off(values[0]);
    } else if (type == PROBE && count == 6) {
      status = probe(sequence, echo, values, now);
    } else if (type == TIMES && count == 0) {
      status = DONE;
    } else if (type == BYE && count == 0) {
      connect();
      status = DONE;
    }
    type_ = type;
    sequence_ = sequence;
    received_ = now;
    status_ = status;
  }

  uint8_t beat(uint32_t echo, uint32_t now) {
    if (!greeted_) return NO_HELLO;
    if (!fresh(echo, now)) return STALE;
    proven_ = now;
    alive_ = true;
    return DONE;
  }

  uint8_t on(uint16_t sequence, uint32_t echo, const uint8_t* values, uint32_t now) {
    if (on_seen_ && sequence == on_sequence_) return on_status_;  // repeated, because the answer was lost
    on_status_ = start(echo, values[0], get32(values + 1), get32(values + 5), get32(values + 9), now);
    on_sequence_ = sequence;
    on_at_ = now;
    on_seen_ = true;
    return on_status_;
  }

  // One pulse of the LED, and the stopwatch, which starts when its pin is set.
  uint8_t probe(uint16_t sequence, uint32_t echo, const uint8_t* values, uint32_t now) {
    if (probe_seen_ && sequence == probe_sequence_) return probe_status_;
    const uint8_t led = values[0], output = values[1];
    const bool is_pair = output < limits_.channels && output != led;
    probe_status_ = is_pair ? start(echo, led, get32(values + 2), 0, 0, now) : uint8_t(NO_CHANNEL);
    probe_sequence_ = sequence;
    on_at_ = now;
    probe_seen_ = true;
    if (probe_status_ == DONE) {
      const uint16_t rises = probe_.rises;
      probe_ = Probe();
      probe_.led = led;
      probe_.output = output;
      probe_.armed = true;
      probe_.rises = rises;
    }
    return probe_status_;
  }

  uint8_t start(uint32_t echo, uint8_t which, uint32_t width, uint32_t period, uint32_t train, uint32_t now) {
    if (!greeted_) return NO_HELLO;
    if (!alive_ || !fresh(echo, now)) return STALE;
    if (which >= limits_.channels) return NO_CHANNEL;
    Channel& channel = channels_[which];
    const uint32_t duration = period == 0 ? width : train;  // period 0: one pulse
    if (width == 0 || width > limits_.pulse_us || duration > limits_.train_us) return BEYOND_LIMIT;
    if (period != 0 && uint64_t(width) * 1000 > uint64_t(period) * limits_.duty_permille) return BEYOND_LIMIT;
    if (channel.heat + uint64_t(width) * (1000 - limits_.duty_permille) > allowance_) return TOO_SOON;
    channel.active = channel.begins = true;
    channel.width = width;
    channel.period = period;
    channel.duration = duration;
    return DONE;
  }

  uint8_t off(uint8_t which) {
    if (which == ALL_CHANNELS) {
      all_off();
      return DONE;
    }
    if (which >= limits_.channels) return NO_CHANNEL;
    channels_[which].active = channels_[which].level = false;
    return DONE;
  }

  static void put(uint8_t* text, uint8_t& size, uint32_t value, uint8_t bytes) {  // little-endian
    for (; bytes > 0; --bytes, value >>= 8) text[size++] = uint8_t(value);
  }

  static uint16_t get16(const uint8_t* at) { return uint16_t(at[0] | at[1] << 8); }

  static uint32_t get32(const uint8_t* at) { return get16(at) | uint32_t(get16(at + 2)) << 16; }

  // CRC-16/CCITT-FALSE: polynomial 0x1021 (x^16 + x^12 + x^5 + 1), start 0xFFFF; the eight bits of a byte in one step.
  static uint16_t crc(const uint8_t* text, uint8_t size) {
    uint16_t value = 0xFFFF;
    for (uint8_t i = 0; i < size; ++i) {
      uint8_t top = uint8_t(value >> 8) ^ text[i];
      top ^= top >> 4;
      value = uint16_t(value << 8) ^ uint16_t(uint16_t(top) << 12) ^ uint16_t(uint16_t(top) << 5) ^ top;
    }
    return value;
  }

  // Consistent Overhead Byte Stuffing (Cheshire and Baker 1999): no zero inside, so a zero always delimits messages.
  static size_t stuff(const uint8_t* text, uint8_t size, uint8_t* out) {
    size_t at = 0;
    out[at++] = 0;
    size_t code = at++;
    uint8_t run = 1;
    for (uint8_t i = 0; i < size; ++i) {
      if (text[i] != 0) {
        out[at++] = text[i];
        ++run;
      } else {
        out[code] = run;
        code = at++;
        run = 1;
      }
    }
    out[code] = run;
    out[at++] = 0;
    return at;
  }

  // Returns the size of the message, 0 if the bytes are no message.
  static uint8_t unstuff(const uint8_t* text, uint8_t size, uint8_t* out) {
    uint8_t at = 0, read = 0;
    while (read < size) {
      const uint8_t run = text[read++];
      if (run - 1 > size - read) return 0;
      for (uint8_t i = 1; i < run; ++i) out[at++] = text[read++];
      if (read < size) out[at++] = 0;
    }
    return at;
  }
};

}  // namespace dlclive
