"""`python -m monitor`: the same as `safety-monitor`."""

from monitor.cli.main import run

if __name__ == "__main__":
    run()
