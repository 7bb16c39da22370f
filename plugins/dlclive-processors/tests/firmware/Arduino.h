// As much of Arduino as the sketch uses, to compile and run it on a computer.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

const uint8_t LOW = 0, HIGH = 1, OUTPUT = 1;
struct Pin { int mode = -1, level = -1, highs = 0; };
static Pin pins[64];
static uint32_t clock_us = 0;

inline uint32_t micros() { return clock_us; }
inline void pinMode(uint8_t pin, uint8_t mode) { pins[pin].mode = mode; }
inline void digitalWrite(uint8_t pin, uint8_t level) {
  pins[pin].level = level;
  pins[pin].highs += level;
}

struct Port {
  uint8_t in[256], out[256];
  size_t in_size = 0, in_read = 0, out_size = 0;
  int room = 64;
  bool open = false;
  void begin(long) {}
  explicit operator bool() const { return open; }
  int available() const { return int(in_size - in_read); }
  int read() { return in[in_read++]; }
  int availableForWrite() const { return room; }
  size_t write(const uint8_t* text, size_t size) {
    memcpy(out + out_size, text, size);
    out_size += size;
    return size;
  }
};
static Port Serial;
