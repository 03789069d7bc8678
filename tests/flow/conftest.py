"""What all flow tests share.  BUILD names the folder of the programs under test."""


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "release: figures of the release build; not run with sanitizers")
