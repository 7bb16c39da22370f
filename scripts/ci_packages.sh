#!/usr/bin/env bash
# Debian packages without which some checks are skipped, or cannot run. Installs those that are missing where it can; never fails.
#
#   g++                                               the firmware compiled for this computer
#   gcc-avr avr-libc arduino-core-avr libsimavr-dev   the firmware on a simulated Arduino
#   mosquitto                                         an MQTT broker
#   libportaudio2                                     sounds
#   libegl1 libgl1 libxkbcommon0 libdbus-1-3          Qt, for the GUI of deeplabcut-live, whose tests `compat` runs
packages=(g++ gcc-avr avr-libc arduino-core-avr libsimavr-dev mosquitto libportaudio2 libegl1 libgl1 libxkbcommon0 libdbus-1-3)

missing=()
for package in "${packages[@]}"; do
  dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  timeout 120 apt-get update -qq >/dev/null 2>&1
  for package in "${missing[@]}"; do # one by one: another system may lack one of them
    ((SECONDS < 240)) && timeout 180 apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1
  done
fi
for package in "${missing[@]}"; do
  dpkg -s "$package" >/dev/null 2>&1 || echo "$package is not installed: what needs it is skipped or fails"
done
exit 0
