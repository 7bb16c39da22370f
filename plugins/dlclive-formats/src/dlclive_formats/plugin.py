"""The components of dlclive-formats. Loaded to list plugins, so it imports nothing heavy."""

from __future__ import annotations

from dlclive_core import FormatInfo, RecoveryInfo, SinkInfo, hookimpl

_INSTALL = "pip install dlclive-formats"


@hookimpl
def dlclive_register_formats() -> list[FormatInfo]:
    return [
        FormatInfo(
            name="journal",
            summary="What a session has left whose file could not be written",
            factory="dlclive_formats.session.journal_format:JournalFormat",
            suffixes=(".poses",),
            writes=False,
        ),
        FormatInfo(
            name="parquet",
            summary="Tidy table for pandas, polars and R: a row for each keypoint of each frame",
            factory="dlclive_formats.parquet.parquet_format:ParquetFormat",
            suffixes=(".parquet",),
            requires=("pyarrow",),
            install_hint=_INSTALL,
        ),
        FormatInfo(
            name="coco",
            summary="COCO's JSON for keypoints: a data set of predictions, or a list of results",
            factory="dlclive_formats.coco.coco_format:CocoFormat",
            suffixes=(".json",),
        ),
        FormatInfo(
            name="openpose",
            summary="OpenPose's folder with a JSON file for each frame, also for Pose2Sim",
            factory="dlclive_formats.openpose.openpose_format:OpenPoseFormat",
            suffixes=("_json",),
        ),
        FormatInfo(
            name="nwb",
            summary="NWB with ndx-pose: one file for each animal, with the time of each frame",
            factory="dlclive_formats.nwb.nwb_format:NwbFormat",
            suffixes=(".nwb",),
            requires=("h5py", "pynwb", "ndx_pose"),
            install_hint=_INSTALL,
        ),
        FormatInfo(
            name="sleap",
            summary="SLEAP Analysis HDF5, which SLEAP, sleap-io and movement open",
            factory="dlclive_formats.sleap.sleap_format:SleapFormat",
            suffixes=(".analysis.h5",),
            requires=("h5py",),
            install_hint=_INSTALL,
        ),
        FormatInfo(
            name="sleap-csv",
            summary="SLEAP Analysis CSV: a row for each animal in each frame",
            factory="dlclive_formats.sleap.sleap_csv_format:SleapCsvFormat",
            suffixes=(".analysis.csv",),
        ),
    ]


@hookimpl
def dlclive_register_sinks() -> list[SinkInfo]:
    return [
        SinkInfo(
            name="parquet",
            summary="Writes poses as a tidy Parquet table when the run ends",
            factory="dlclive_formats.parquet.parquet_sink:ParquetSink",
            requires=("pyarrow",),
            install_hint=_INSTALL,
        ),
        SinkInfo(
            name="coco",
            summary="Writes poses as COCO's JSON for keypoints when the run ends",
            factory="dlclive_formats.coco.coco_sink:CocoSink",
        ),
        SinkInfo(
            name="openpose",
            summary="Writes poses as OpenPose's folder of JSON files when the run ends",
            factory="dlclive_formats.openpose.openpose_sink:OpenPoseSink",
        ),
        SinkInfo(
            name="nwb",
            summary="Writes poses as NWB when the run ends: one file for each animal",
            factory="dlclive_formats.nwb.nwb_sink:NwbSink",
            requires=("h5py", "pynwb", "ndx_pose"),
            install_hint=_INSTALL,
        ),
        SinkInfo(
            name="sleap",
            summary="Writes poses as SLEAP Analysis HDF5 when the run ends",
            factory="dlclive_formats.sleap.sleap_sinks:SleapSink",
            requires=("h5py",),
            install_hint=_INSTALL,
        ),
        SinkInfo(
            name="sleap-csv",
            summary="Writes poses as SLEAP Analysis CSV when the run ends",
            factory="dlclive_formats.sleap.sleap_sinks:SleapCsvSink",
        ),
    ]


@hookimpl
def dlclive_register_recoveries() -> list[RecoveryInfo]:
    return [
        RecoveryInfo(
            name="formats",
            summary="Writes the NWB, SLEAP, COCO, OpenPose and Parquet files of a run that was killed",
            factory="dlclive_formats.session.recover:recover",
        )
    ]
