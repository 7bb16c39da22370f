"""The package as the catalogue sees it: light to list, buildable by name."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import dlclive_streams
import pytest
from dlclive_streams import plugin

from dlclive_core import Output, OutputInfo, PluginCatalog, Sink, SinkInfo, UsageError
from dlclive_core.plugins.catalog import Plugin
from dlclive_core.plugins.specs import build_component

HEAVY = ("zmq", "pylsl", "pythonosc", "paho", "msgpack", "sounddevice", "numpy")


@pytest.fixture
def catalog() -> PluginCatalog:
    components = (*plugin.dlclive_register_sinks(), *plugin.dlclive_register_outputs())
    return PluginCatalog([Plugin(name="streams", distribution="d", version="1", status="ready", components=components)])


def test_listing_imports_no_library_of_a_transport() -> None:
    script = (
        "import sys, dlclive_streams, dlclive_streams.plugin as plugin\n"
        "infos = [*plugin.dlclive_register_sinks(), *plugin.dlclive_register_outputs()]\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], [info.name for info in infos])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    names = ["lsl", "zmq", "osc", "mqtt", "open-ephys", "osc", "zmq", "mqtt", "lsl", "sound"]
    assert done.stdout.strip() == f"[] {names}"


@pytest.mark.parametrize(
    "text",
    [
        "zmq:5556",
        "zmq:port=5555,host=0.0.0.0,topic=left,format=msgpack,queue=10,patience=2",
        "osc:9001,host=127.0.0.1,prefix=/rig1,bundle=false",
        "lsl:mouse,network=true,source_id=rig-1,lag=0.012,patience=1",
        "mqtt:127.0.0.1,port=1884,topic=lab/rig1,queue=5,patience=1",
    ],
)
def test_sinks_are_built_from_specs(catalog: PluginCatalog, text: str) -> None:
    with build_component(catalog, SinkInfo, text) as sink:
        assert isinstance(sink, Sink)


@pytest.mark.parametrize(
    "text",
    [
        "zmq:5561,topic=left,format=msgpack,lifespan=1,repeat=0.5",
        "osc:9000,prefix=/rig1,repeat=0.1",
        "lsl:markers,network=true",
        "mqtt:127.0.0.1,port=1884,topic=lab/rig1",
        "open-ephys:3,host=127.0.0.1,port=5556,timeout=0.2,patience=1",
        "sound:frequency=2000,duration=0.05,volume=0.1,device=3",
        "sound:beep.wav",
    ],
)
def test_outputs_are_built_from_specs(catalog: PluginCatalog, text: str) -> None:
    if text.startswith("sound") and find_spec("sounddevice") is None:
        pytest.skip("needs dlclive-streams[sound]")
    with build_component(catalog, OutputInfo, text) as output:
        assert isinstance(output, Output)
        assert not output.fails_safe
        assert len(output.safety) < 128


def test_an_output_is_the_option_of_a_trigger(catalog: PluginCatalog) -> None:
    class Parts:
        def build(self, kind: type[OutputInfo], text: str) -> object:
            return build_component(catalog, kind, text)

    assert isinstance(Output.from_option("open-ephys:3", Parts()), dlclive_streams.OpenEphysOutput)


def test_an_unknown_option_is_named(catalog: PluginCatalog) -> None:
    with pytest.raises(UsageError, match="did you mean 'port'"):
        build_component(catalog, SinkInfo, "zmq:prt=5555")
