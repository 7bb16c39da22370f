"""Kinds of faults that were found from outside: files from the wild, hostile input, drivers that do not do what they say.

Each row runs the tests of its kind. A test is listed with the kind whose other inputs it stands for.
"""

from __future__ import annotations

CORE, CLI = "tests/core", "tests/cli"
IO, TORCH = "plugins/dlclive-io/tests", "plugins/dlclive-torch/tests"
ONNX = "plugins/dlclive-onnx/tests"
CAMERAS, OUTPUT = "plugins/dlclive-cameras/tests", "plugins/dlclive-processors/tests"

KINDS = (
    (
        "a configuration that resizes or pads",
        "entries of data.inference",
        "poses of DeepLabCut, or refused by name; no entry passed over",
        f"{CORE}/test_inference_options.py {CORE}/test_preparation.py {TORCH}/test_open_field_prepared.py",
    ),
    (
        "YAML 1.2, other encodings, Windows' files",
        "words such as on, no and 12:30; cp1252, UTF-16, byte order marks, CRLF",
        "read as DeepLabCut wrote them; bounded",
        f"{CORE}/test_yaml_1_2.py {CORE}/test_decoding.py",
    ),
    (
        "kind of project, names of snapshots",
        "one animal in a multi-animal project; detectors, adapted snapshots",
        "DeepLabCut's levels and scorer",
        f"{CORE}/test_project.py {CORE}/test_snapshots.py",
    ),
    (
        "containers that lie or are cut",
        "OpenDML, joined streams, damaged clocks, wrong rates",
        "no row with another frame's pose; what is lost is counted",
        f"{IO}/test_avi.py {IO}/test_joined_video.py {IO}/test_damaged_numbers.py {IO}/test_written_times.py",
    ),
    (
        "images with several pages, awkward names",
        "TIFF stacks, animations, colons and % in names, files of the system",
        "all pages, or refused by name; names taken literally",
        f"{IO}/test_image_pages.py {IO}/test_names_of_files.py",
    ),
    (
        "true colours and OpenCV's",
        "BT.601, BT.709, full and limited range",
        "pixels of OpenCV 4.9 with colours=opencv",
        f"{IO}/test_video_colours.py",
    ),
    (
        "one output over another",
        "equal stems, processes that end together, case, symbolic links",
        "every name taken exclusively; links not followed",
        f"{IO}/test_taken_names.py {CLI}/test_taken_outputs.py {CORE}/test_taken_names.py {IO}/test_symbolic_links.py",
    ),
    (
        "HDF5 as DeepLabCut's own",
        "pandas' to_hdf(format='table')",
        "equal nodes, attributes and types",
        f"{IO}/test_hdf5_layout.py",
    ),
    (
        "values changed after they were handed over",
        "arrays of poses, frames and buffers written to",
        "nothing that was handed on changes",
        f"{CORE}/test_aliasing.py",
    ),
    (
        "live sources that do not do what they say",
        "size, rate, order, clock, identity, a backlog",
        "the truth is used; one event says so; no output on an old frame",
        f"{CORE}/test_source_check.py {CORE}/test_capture_time.py {CORE}/test_clock_rate.py {CAMERAS}/test_backlog.py "
        f"{CAMERAS}/test_frames_out_of_order.py {CAMERAS}/test_stalled_stream.py {CAMERAS}/test_webcam_driver.py",
    ),
    (
        "a device's promises, forked children, descriptors",
        "wrong watchdogs, unknown replies, fork, 1,024 descriptors",
        "refused, or off; no lease outlives its session",
        f"{OUTPUT}/test_device_promises.py {OUTPUT}/test_heartbeat_descriptors.py",
    ),
    (
        "a file that cannot grow",
        "RLIMIT_FSIZE, FAT",
        "the recording continues in the next file; losses counted",
        f"{IO}/test_largest_file.py",
    ),
    (
        "whatever a component raises, returns or says",
        "SystemExit, a panic, None, NaN, properties that raise",
        "ends in order; the component is named; nothing called complete that is not",
        f"{CORE}/test_session_components.py {CORE}/test_json_text.py",
    ),
    (
        "a component that hangs at the end; Ctrl-C meanwhile",
        "close, finish and write that do not return; SIGINT",
        "named after 2 s, abandoned; the others closed, files finished",
        f"{CORE}/test_session_shutdown.py",
    ),
    (
        "a terminal that goes, streams that are closed",
        "SIGHUP, a closed pty, closed descriptors 0 to 2",
        "files final and readable; exit code 129, or 0",
        f"{CLI}/test_signals.py",
    ),
    (
        "one bad neighbour",
        "plugins that exit, hang, print; broken entry points, no metadata",
        "one line in the list; everything else works; standard output is JSON",
        f"{CLI}/test_bad_neighbours.py",
    ),
    (
        "trust that comes from data",
        "a profile that sets trust, files or unknown options",
        "refused: only options that the runtime lists",
        f"{CORE}/test_profiles.py",
    ),
    (
        "cards and configurations that lie",
        "wrong types, ranges, names and numbers of keypoints; inputs that fuzzing found",
        "exit code 3, one line; never 1",
        f"{CORE}/test_card_checks.py {CORE}/test_fuzz_seeds.py {TORCH}/test_configuration_limits.py",
    ),
    (
        "files larger than they look",
        "compressed members, shared references, cycles, anchors, overlapping storages",
        "refused in bounded time and memory",
        f"{TORCH}/test_file_limits.py {ONNX}/test_onnx_metadata.py {CORE}/test_yaml_1_2.py",
    ),
    (
        "what fp32 leaves open",
        "untrained networks; swapped, shifted and scaled exports",
        "good exports pass; wrong ones are refused",
        f"{CORE}/test_export.py {TORCH}/test_fp64.py",
    ),
    (
        "messages that lead nowhere",
        "components that are not installed, swapped arguments, old options, wrong parts",
        "one line that says what to do",
        f"{CORE}/test_install_advice.py {CORE}/test_passed_parts.py {CLI}/test_usage_errors.py {CLI}/test_check.py",
    ),
    (
        "pictures that cannot be read",
        "long names, failures, values out of range",
        "no text over another or out of view; units on every axis",
        f"{CLI}/test_pictures.py {IO}/test_drawing.py",
    ),
    (
        "Windows",
        "the portable heartbeat on Linux; names that Windows refuses",
        "outputs fail safe with either; names valid everywhere",
        f"{OUTPUT}/test_channels.py {OUTPUT}/test_serial_lines.py {CLI}/test_windows_names.py",
    ),
    (
        "names from files",
        "scorers with ../, escape sequences, Windows' reserved names",
        "no file outside the folder; nothing sent to the terminal",
        f"{CORE}/test_names.py {IO}/test_csv_names.py",
    ),
    (
        "jumps of a frame's number",
        "counters that jump to 2^40",
        "bounded disk and memory; said once, counted",
        f"{IO}/test_row_jumps.py",
    ),
    (
        "one damaged file among those to recover",
        "flipped bytes in tables, journals and their logs",
        "costs its rows, and no other file",
        f"{IO}/test_damaged_files.py",
    ),
)
