"""What all flow tests share.  BUILD names the folder of the programs under test."""
import pytest

from simulator import BUILD


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "release: figures of the release build; not run with sanitizers")


def pytest_report_header():
    return f"programs of {BUILD}"


@pytest.fixture(scope="session", autouse=True)
def programs():
    for name in ("trunkscribed", "asr-sim", "callgen"):
        if not (BUILD / name).exists():
            pytest.exit(f"{BUILD / name} is not there: run make first", returncode=2)
