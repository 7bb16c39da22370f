"""The most that PyTorch reaches on a device."""

from dlclive_torch.peak import measure_peak


def test_a_cpu_is_measured_in_fp32_and_an_unknown_device_is_not() -> None:
    assert measure_peak("cpu", 0.01)["fp32"] > 1e8
    assert measure_peak("npu:3", 0.01) == {}
