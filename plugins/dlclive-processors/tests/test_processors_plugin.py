"""The package as the catalogue sees it: light to list, buildable by name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dlclive_processors import (
    Exponential,
    IdentityTracker,
    KalmanPredictor,
    Median,
    OneEuro,
    Outliers,
    RegionTrigger,
    Stimulate,
    plugin,
)

from dlclive_core import PluginCatalog, Processor, ProcessorInfo, UsageError
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.plugins.specs import build_component
from dlclive_core.testing import ProcessorContract


@pytest.fixture
def catalog() -> PluginCatalog:
    components = tuple(plugin.dlclive_register_processors())
    return PluginCatalog(
        [Plugin(name="processors", distribution="d", version="1", status="ready", components=components)]
    )


def test_scipy_is_imported_for_track_alone() -> None:
    script = (
        "import sys\n"
        "from dlclive_core import PluginCatalog, ProcessorInfo\n"
        "catalog = PluginCatalog.installed()\n"
        "infos = catalog.components(ProcessorInfo)\n"
        "assert len(infos) > 15\n"
        "for info in infos:\n"
        "    if info.name != 'track':\n"
        "        catalog.factory(info)\n"
        "assert 'scipy' not in sys.modules\n"
        "catalog.factory(catalog.find(ProcessorInfo, 'track'))\n"
        "assert 'scipy' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_processors_are_built_by_name(catalog: PluginCatalog) -> None:
    assert isinstance(catalog.build(ProcessorInfo, "kalman", horizon=0.05), KalmanPredictor)
    region = catalog.build(ProcessorInfo, "region", polygon=[[0, 0], [9, 0], [9, 9]], keypoint="snout")
    assert isinstance(region, RegionTrigger)


def test_processors_are_built_from_command_line_specs(catalog: PluginCatalog) -> None:
    """The texts of the README, and every kind of option."""
    spec = "region:polygon=[[0,0],[100,0],[100,100]],keypoint=snout,events=events.csv,debounce=2,min_confidence=0.5"
    assert isinstance(build_component(catalog, ProcessorInfo, spec), RegionTrigger)
    spec = "kalman:horizon=0.02,order=acceleration,process_noise=5e4,measurement_noise=1,max_gap=1"
    assert isinstance(build_component(catalog, ProcessorInfo, spec), KalmanPredictor)
    for spec, kind in (
        ("one-euro:min_cutoff=0.5,beta=0.01,d_cutoff=2,min_confidence=0.5,max_gap=1", OneEuro),
        ("exponential:time_constant=0.1,min_confidence=0.5,max_gap=1", Exponential),
        ("median:window=7,min_confidence=0.5,max_gap=1", Median),
        ("outliers:max_speed=1500,tolerance=3,min_confidence=0.5,max_gap=1", Outliers),
        ("kalman:persistence=inf", KalmanPredictor),
    ):
        assert isinstance(build_component(catalog, ProcessorInfo, spec), kind)
    spec = (
        "stimulate:/dev/ttyACM0,polygon=[[0,0],[100,0],[100,100]],keypoint=snout,width=0.005,frequency=20,duration=1,"
        "channel=1,lifespan=0.05,max_age=0.05,refractory=2,max_rate=0.5,debounce=2,armed=true,events=light.csv"
    )
    assert isinstance(build_component(catalog, ProcessorInfo, spec), Stimulate)
    spec = (
        "track:cost=box,animals=3,sigma=0.05,size=80,min_confidence=0.4,min_similarity=0.2,duplicate_from=0.8,min_frames=1,"
        "max_gap=2,process_noise=10"
    )
    assert isinstance(build_component(catalog, ProcessorInfo, spec), IdentityTracker)
    assert isinstance(build_component(catalog, ProcessorInfo, "track"), IdentityTracker)


def test_outliers_need_a_speed(catalog: PluginCatalog) -> None:
    with pytest.raises(UsageError, match="processor 'outliers' needs the option 'max_speed': outliers:max_speed="):
        build_component(catalog, ProcessorInfo, "outliers")


def test_an_unknown_option_is_refused(catalog: PluginCatalog) -> None:
    with pytest.raises(UsageError, match="did you mean 'horizon'"):
        catalog.build(ProcessorInfo, "kalman", horizn=0.05)


def test_listing_and_importing_load_nothing_heavy() -> None:
    program = (
        "import sys, dlclive_processors.plugin, dlclive_processors;"
        "heavy = {'torch', 'cv2', 'av', 'pandas', 'onnxruntime', 'scipy', 'tables', 'matplotlib'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


class TestKalmanKeepsTheContract(ProcessorContract):
    @pytest.fixture
    def processor(self) -> Processor:
        return KalmanPredictor(horizon=0.01)


class TestRegionKeepsTheContract(ProcessorContract):
    @pytest.fixture
    def processor(self, tmp_path: Path) -> Processor:
        return RegionTrigger(
            polygon=[[-9, -9], [999, -9], [999, 999], [-9, 999]], keypoint="k1", events=tmp_path / "events.csv"
        )
